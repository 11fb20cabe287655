/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: the comment not cut off; line numbers from 0; a
 * failed parse that leaves half of its settings behind; the last line without
 * newline dropped; strlen(value) > room instead of >=; encrypt = anything taken as yes;
 * others tried beside --target.
 */
#include "unit.h"

#include "config/config.h"

#include <stdio.h>

static err_t parse(const char *text, struct config *c)
{
	config_init(c);
	return config_parse(text, strlen(text), "test.conf", c);
}

static void test_defaults(void **state)
{
	struct config c;

	(void)state;
	assert_ok(parse("", &c));
	assert_string_equal(c.target, "");
	assert_int_equal(c.then, CONFIG_POWEROFF);
	assert_int_equal(c.verify, CONFIG_VERIFY_INDEX);
	assert_int_equal(c.time_limit, 1800);
	assert_string_equal(c.codec, "lz4");
	assert_true(c.encrypt);
	assert_string_equal(c.cipher, "auto");
	assert_string_equal(c.key_file, "");
	assert_int_equal(c.window, 0);
	assert_int_equal(c.resume_wait, 60);
	assert_int_equal(c.resume_default, CONFIG_RESUME_REBOOT);
}

static void test_all_keys(void **state)
{
	struct config c;

	(void)state;
	assert_ok(parse("# a comment\n"
			"\n"
			"  target\t=  /dev/vdb  # the second disk\r\n"
			"then=return\n"
			"verify = full\n"
			"time_limit = 0\n"
			"initramfs = /boot/a b\n"
			"codec = none\n"
			"encrypt = no\n"
			"cipher = chacha20-poly1305\n"
			"key_file = /run/stick/key\n"
			"window = 0x10000000\n"
			"writer_dir = /opt/w\n"
			"target = /dev/vdc\n"
			"target = /dev/vdb\n"
			"resume_wait = 0\n"
			"resume_default = discard\n"
			"writer_cmdline = loglevel=7 debug",
			&c));
	assert_string_equal(c.target, "/dev/vdb");
	assert_int_equal(c.target_count, 2);
	assert_string_equal(c.targets[0], "/dev/vdb");
	assert_string_equal(c.targets[1], "/dev/vdc");
	assert_int_equal(c.resume_wait, 0);
	assert_int_equal(c.resume_default, CONFIG_RESUME_DISCARD);
	assert_ok(config_use_target(&c, "/dev/vdd"));
	assert_string_equal(c.target, "/dev/vdd");
	assert_int_equal(c.target_count, 3);
	assert_string_equal(config_candidate(&c, 0), "/dev/vdd");
	assert_null(config_candidate(&c, 1));
	assert_int_equal(c.then, CONFIG_RETURN);
	assert_int_equal(c.verify, CONFIG_VERIFY_FULL);
	assert_int_equal(c.time_limit, 0);
	assert_string_equal(c.initramfs, "/boot/a b");
	assert_string_equal(c.codec, "none");
	assert_false(c.encrypt);
	assert_string_equal(c.cipher, "chacha20-poly1305");
	assert_string_equal(c.key_file, "/run/stick/key");
	assert_true(c.window == 0x10000000);
	assert_string_equal(c.writer_dir, "/opt/w");
	assert_string_equal(c.writer_cmdline, "loglevel=7 debug");
}

/* Wrong lines are named by their number, and nothing of the text counts. */
static void test_errors(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"target = /dev/vda\nfoo = 1\n", "test.conf line 2: foo: unknown key"},
		{"\n\ntarget\n", "line 3"},
		{"then = off\n", "line 1: then"},
		{"verify = no\n", "line 1: verify"},
		{"encrypt = maybe\n", "line 1: encrypt"},
		{"encrypt =\n", "line 1: encrypt"},
		{"time_limit = -1\n", "line 1: time_limit"},
		{"time_limit = 10m\n", "number of seconds"},
		{"time_limit = 86401\n", "number of seconds"},
		{"window = here\n", "not an address"},
		{"window = -1\n", "not an address"},
		{"window =\n", "not an address"},
		{"window = 1x\n", "not an address"},
		{"window = 0x10000000000000000\n", "not an address"},
		{"codec = 0123456789abcdef\n", "longer than 15"},
		{"= x\n", "unknown key"},
		{"target =\n", "no device"},
		{"target = a\ntarget = b\ntarget = c\ntarget = d\ntarget = e\ntarget = f\n"
		 "target = g\ntarget = h\ntarget = i\n",
		 "line 9: target: more than 8"},
		{"resume_wait = -1\n", "number of seconds"},
		{"resume_wait = 1m\n", "number of seconds"},
		{"resume_default = wait\n", "none of reboot"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config c;
		err_t e = parse(bad[i].text, &c);

		assert_non_null(e);
		assert_int_equal(err_kind(e), ERR_INVALID);
		if (!strstr(err_text(e), bad[i].says))
			fail_msg("\"%s\" does not say \"%s\"", err_text(e), bad[i].says);
		assert_string_equal(c.target, "");
		err_free(e);
	}
}

static void test_not_text(void **state)
{
	struct config c;
	char text[4096];

	(void)state;
	config_init(&c);
	assert_err(config_parse("tar\0get = x\n", 12, "x", &c), ERR_INVALID);
	memset(text, '#', sizeof(text));
	assert_err(config_parse(text, sizeof(text), "x", &c), ERR_INVALID);
}

static void test_file(void **state)
{
	struct config c;

	(void)state;
	config_init(&c);
	assert_ok(config_load("/nonexistent/dormouse.conf", 0, &c));
	assert_err(config_load("/nonexistent/dormouse.conf", 1, &c), ERR_IO);
	assert_ok(config_load("host/dormouse.conf.example", 1, &c));
	assert_int_equal(c.target_count, 0);
}

/* Planted and found: a name that only begins like it taken. */
static void test_luks_device(void **state)
{
	(void)state;
	assert_string_equal(config_luks_device("luks:/dev/vdb1"), "/dev/vdb1");
	assert_null(config_luks_device("/dev/vdb1"));
	assert_null(config_luks_device("luks/dev/vdb1"));
	assert_null(config_luks_device(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_luks_device), cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_keys),    cmocka_unit_test(test_errors),
		cmocka_unit_test(test_not_text),    cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
