/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: quotes not seen; "console" matching "consoleblank";
 * the first of two options counting; words after "--" taken.
 */
#include "unit.h"

#include "config/cmdline.h"

static void test_words(void **state)
{
	const char *p = "  a  b=\"c d\" \"e=f g\" h -- i";
	char word[32];

	(void)state;
	assert_true(cmdline_next(&p, word, sizeof(word)));
	assert_string_equal(word, "a");
	assert_true(cmdline_next(&p, word, sizeof(word)));
	assert_string_equal(word, "b=c d");
	assert_true(cmdline_next(&p, word, sizeof(word)));
	assert_string_equal(word, "e=f g");
	assert_true(cmdline_next(&p, word, sizeof(word)));
	assert_string_equal(word, "h");
	assert_false(cmdline_next(&p, word, sizeof(word)));
}

static void test_odd_words(void **state)
{
	static const char *const lines[] = {"\"", "=\"", "a=\"", "\"a", "\"\"\"", "x\"y z"};
	char word[4];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *p = lines[i];

		while (cmdline_next(&p, word, sizeof(word)))
			assert_true(strlen(word) < sizeof(word));
	}
}

static void test_find(void **state)
{
	char out[32] = "";

	(void)state;
	assert_true(cmdline_find("a=1 page-poison=0 a=2", "a", out, sizeof(out)));
	assert_string_equal(out, "2");
	assert_true(cmdline_find("a=1 page-poison=0", "page_poison", out, sizeof(out)));
	assert_string_equal(out, "0");
	assert_true(cmdline_find("noresume", "noresume", NULL, 0));
	assert_false(cmdline_find("noresumes xnoresume", "noresume", NULL, 0));
	assert_false(cmdline_find("a -- noresume", "noresume", NULL, 0));
	assert_false(cmdline_find("", "noresume", NULL, 0));
}

static void test_consoles(void **state)
{
	char out[64], small[16];

	(void)state;
	cmdline_consoles("quiet console=tty0 consoleblank=5 console=ttyS0,115200n8 ro", out,
			 sizeof(out));
	assert_string_equal(out, "console=tty0 console=ttyS0,115200n8");
	cmdline_consoles("quiet", out, sizeof(out));
	assert_string_equal(out, "");
	cmdline_consoles("console=tty0 console=ttyS0,115200n8", small, sizeof(small));
	assert_string_equal(small, "console=tty0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_odd_words),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_consoles),
	};

	return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
