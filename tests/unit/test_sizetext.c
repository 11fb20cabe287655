/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: a unit taken for the next one; what follows it ignored; what
 * does not fit 63 bits cut off. */
#include "unit.h"

#include "host/sizetext.c"

static void test_good(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_ok(sizetext_parse("8G", &n));
	assert_int_equal(n, 8 * GIB);
	assert_ok(sizetext_parse("512m", &n));
	assert_int_equal(n, 512 * MIB);
	assert_ok(sizetext_parse("1T", &n));
	assert_int_equal(n, 1024 * GIB);
	assert_ok(sizetext_parse("5K", &n));
	assert_int_equal(n, 8 * KIB);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {"",
					  "8",
					  "G",
					  "-8G",
					  "8GB",
					  "8 G",
					  "0G",
					  "8X",
					  "+8G",
					  "1.5G",
					  "99999999999999999T",
					  "8388608T"};
	uint64_t n = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(sizetext_parse(bad[i], &n), ERR_INVALID);
	assert_int_equal(n, 77);
	assert_ok(sizetext_parse("8388607T", &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests_name("sizetext", tests, NULL, NULL);
}
