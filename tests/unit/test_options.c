/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: pins that cannot be read taken for none, without a word of what is
 * not found then; rootdelay= making the wait shorter, or taken where it is no number. */
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

static void test_rootdelay(void **state)
{
	unsigned int seconds = 30;

	(void)state;
	add_rootdelay("root=/dev/vda rw", &seconds);
	add_rootdelay("rootdelay=5", &seconds);
	add_rootdelay("rootdelay=long rootdelay", &seconds);
	assert_int_equal(seconds, 30);
	add_rootdelay("quiet rootdelay=90", &seconds);
	assert_int_equal(seconds, 90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_bad_pins),
					   cmocka_unit_test(test_rootdelay)};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
