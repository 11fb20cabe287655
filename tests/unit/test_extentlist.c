/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: sorted and not joined; the first left out among the
 * longest; one too many of equal length kept.
 */
#include "unit.h"

#include "host/disks/extentlist.c"

static void add(struct extentlist *l, uint64_t start, uint64_t length)
{
	assert_ok(extentlist_add(l, start * 4096, length * 4096));
}

static void check(const struct extentlist *l, uint32_t i, uint64_t start, uint64_t length)
{
	assert_true(i < l->count);
	assert_int_equal(l->list[i].start, start * 4096);
	assert_int_equal(l->list[i].length, length * 4096);
}

static void test_join(void **state)
{
	struct extentlist l = {0};

	(void)state;
	add(&l, 7, 1);
	add(&l, 8, 2);
	add(&l, 1, 1);
	add(&l, 3, 4);
	add(&l, 2, 1);
	assert_int_equal(l.count, 4);
	check(&l, 0, 7, 3);
	extentlist_sort(&l);
	assert_int_equal(l.count, 1);
	check(&l, 0, 1, 9);
	assert_int_equal(extentlist_bytes(&l), 9 * 4096);
	extentlist_deinit(&l);
	extentlist_sort(&l);
	assert_int_equal(l.count, 0);
}

static void test_many(void **state)
{
	struct extentlist l = {0};

	(void)state;
	for (uint64_t i = 1000; i; i--)
		add(&l, 2 * i, 1);
	assert_int_equal(l.count, 1000);
	extentlist_sort(&l);
	assert_int_equal(l.count, 1000);
	check(&l, 0, 2, 1);
	check(&l, 999, 2000, 1);
	extentlist_deinit(&l);
}

static void test_longest(void **state)
{
	static const uint64_t lengths[] = {1, 5, 2, 9, 5, 5, 1, 7};
	static const uint64_t kept[] = {1, 5, 9, 5, 7};
	struct extentlist l = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		add(&l, 100 * i, lengths[i]);
	assert_ok(extentlist_keep_longest(&l, 8));
	assert_int_equal(l.count, 8);
	assert_ok(extentlist_keep_longest(&l, 5));
	assert_int_equal(l.count, 5);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(l.list[i].length, kept[i] * 4096);
	assert_ok(extentlist_keep_longest(&l, 1));
	assert_int_equal(l.count, 1);
	check(&l, 0, 0, 1);
	extentlist_deinit(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests_name("extentlist", tests, NULL, NULL);
}
