/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fault planted and found: pins that cannot be read taken for none, without a word of what is
 * not found then. */
#include "unit.h"

#include "resume/options.c"
#include "tempfile.h"

static void test_bad_pins(void **state)
{
	static const char text[] = "what is no pin\n";
	struct options o = {.wait_seconds = 1};
	struct tempfile f;

	(void)state;
	log_init("test");
	read_pins("/nowhere/at/all", &o);
	assert_null(strstr(log_tail(), "NOT FOUND")); /* a machine without such targets */
	tempfile_open(&f, 0);
	assert_int_equal(pwrite(f.fd, text, strlen(text), 0), strlen(text));
	read_pins(f.path, &o);
	assert_non_null(strstr(log_tail(), "NOT FOUND"));
	assert_int_equal(o.pins.count, 0);
	tempfile_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_bad_pins)};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
