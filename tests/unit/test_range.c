/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: "<" and "<=" exchanged in holding and in
 * overlaps, sorting by a difference cut to int, all types summed. */
#include "unit.h"

#include "base/range.h"

static struct range_list sample(void)
{
	struct range_list l = {0};

	assert_true(range_add(&l, 0x100000, 0x200000, RANGE_RAM));
	assert_true(range_add(&l, 0x9000, 0xa000, RANGE_RESERVED));
	assert_true(range_add(&l, 1ull << 40, (1ull << 40) + 4096, RANGE_RAM));
	assert_true(range_add(&l, 0x1000, 0x9000, RANGE_RAM));
	return l;
}

static void adding(void **state)
{
	struct range_list l = {0};

	(void)state;
	assert_true(range_add(&l, 5, 5, RANGE_RAM)); /* empty: left out */
	assert_true(range_add(&l, 6, 5, RANGE_RAM));
	assert_int_equal(l.count, 0);
	for (uint64_t i = 0; i < RANGE_MAX; i++)
		assert_true(range_add(&l, i, i + 1, RANGE_NVS));
	assert_false(range_add(&l, 1000, 1001, RANGE_RAM));
	assert_true(range_add(&l, 5, 5, RANGE_RAM));
	assert_int_equal(l.count, RANGE_MAX);
	assert_int_equal(l.r[RANGE_MAX - 1].start, RANGE_MAX - 1);
	assert_int_equal(l.r[0].type, RANGE_NVS);
}

static void sorting(void **state)
{
	struct range_list l = sample();

	(void)state;
	range_sort(&l);
	assert_int_equal(l.r[0].start, 0x1000);
	assert_int_equal(l.r[1].start, 0x9000);
	assert_int_equal(l.r[1].type, RANGE_RESERVED);
	assert_int_equal(l.r[2].start, 0x100000);
	assert_int_equal(l.r[3].start, 1ull << 40); /* its low 32 bits are 0 */
}

static void holding(void **state)
{
	struct range_list l = sample();

	(void)state;
	assert_ptr_equal(range_holding(&l, 0x100000, 0x200000), &l.r[0]);
	assert_ptr_equal(range_holding(&l, 0x1fffff, 0x200000), &l.r[0]);
	assert_null(range_holding(&l, 0x1fffff, 0x200001));
	assert_null(range_holding(&l, 0xfffff, 0x100001));
	assert_null(range_holding(&l, 0x8000, 0x9800)); /* half in each of two */
	assert_null(range_holding(&l, 0x300000, 0x300001));
}

static void overlapping(void **state)
{
	struct range_list l = sample();

	(void)state;
	assert_false(range_overlaps(&l, 0xa000, 0x100000)); /* exactly the gap */
	assert_true(range_overlaps(&l, 0xa000, 0x100001));
	assert_true(range_overlaps(&l, 0x9fff, 0x100000));
	assert_true(range_overlaps(&l, 0, UINT64_MAX));
	assert_true(range_overlaps(&l, 0x150000, 0x150001));
	assert_false(range_overlaps(&l, 0, 0x1000));
}

static void bytes(void **state)
{
	struct range_list l = sample();

	(void)state;
	assert_int_equal(range_bytes(&l, RANGE_RAM), 0x100000 + 4096 + 0x8000);
	assert_int_equal(range_bytes(&l, RANGE_RESERVED), 0x1000);
	assert_int_equal(range_bytes(&l, RANGE_ACPI), 0);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(range_type_name(RANGE_RAM), "RAM");
	assert_string_equal(range_type_name(RANGE_NVS), "ACPI NVS");
	assert_string_equal(range_type_name((enum range_type)6), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adding),      cmocka_unit_test(sorting), cmocka_unit_test(holding),
		cmocka_unit_test(overlapping), cmocka_unit_test(bytes),	  cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
