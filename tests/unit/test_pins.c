/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: a second place of one target added instead of
 * replaced; upper-case digits and a place behind the disk's end taken; a failed parse
 * that leaves half of it behind; an identity with a space printed as it is;
 * the file of a place that has none taken; places of two disks taken for the same; a disk of
 * another size, or that says it is another, taken for one that does not say; all but the first pin
 * forgotten as targets; others tried beside --target; "authenticated" printed as no; a name pinned
 * that is cut off when it is read.
 */
#include "unit.h"

#include "config/pins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeef0"

static err_t parse(const char *text, struct pins *p)
{
	return pins_parse(text, strlen(text), "pins", p);
}

static void test_all(void **state)
{
	struct pins p;

	(void)state;
	assert_ok(parse("# a comment\npublic = " KEY "\nauthenticated = yes\n"
			"place = locator 7680 1048576 SERIAL_1 /dev/vdb\n"
			"place = head 16384 4096000 - /var/lib/an image\n"
			"ext = 5ca1ab1e-0d0d-4bad-8bad-c0ffee000001 /lib/an image\n"
			"place = head 8192 4096000 - /dev/vdb\n",
			&p));
	assert_true(p.has_public && p.authenticated);
	assert_int_equal(p.public_key[1], 0x11);
	assert_int_equal(p.public_key[31], 0xf0);
	assert_int_equal(p.count, 2);
	assert_int_equal(pins_of(&p, "/dev/vdb")->kind, PIN_HEAD);
	assert_int_equal(pins_of(&p, "/dev/vdb")->byte, 8192);
	assert_string_equal(pins_of(&p, "/dev/vdb")->identity, "");
	assert_string_equal(pins_of(&p, "/var/lib/an image")->target, "/var/lib/an image");
	assert_null(pins_of(&p, "/dev/vdc"));
	assert_string_equal(pins_of(&p, "/var/lib/an image")->ext_path, "/lib/an image");
	assert_string_equal(pins_of(&p, "/dev/vdb")->ext_uuid, "");
}

static void test_same_place(void **state)
{
	const struct pin a = {PIN_HEAD, 8192, 4096000, "A", "/x", "", ""};
	struct pin b = a;

	(void)state;
	strcpy(b.target, "/y"); /* another name */
	assert_true(pins_same_place(&a, &b));
	b.byte += 4096;
	assert_false(pins_same_place(&a, &b));
	b = a;
	b.kind = PIN_LOCATOR;
	assert_false(pins_same_place(&a, &b));
	b = a;
	b.disk_bytes += 512;
	assert_false(pins_same_place(&a, &b));
	b = a;
	strcpy(b.identity, "B");
	assert_false(pins_same_place(&a, &b));
}

static void test_disk(void **state)
{
	struct pin pin = {PIN_HEAD, 8192, 4096000, "A_1", "/x", "", ""};

	(void)state;
	assert_int_equal(pins_disk(&pin, "A 1", 4096000), PINS_DISK_SAME);
	assert_int_equal(pins_disk(&pin, "", 4096000), PINS_DISK_UNNAMED);
	assert_int_equal(pins_disk(&pin, "B", 4096000), PINS_DISK_RENAMED);
	assert_int_equal(pins_disk(&pin, "A 1", 4096512), PINS_DISK_OTHER);
	*pin.identity = '\0';
	assert_int_equal(pins_disk(&pin, "", 4096000), PINS_DISK_SAME);
	assert_int_equal(pins_disk(&pin, "B", 4096000), PINS_DISK_UNNAMED);
	assert_int_equal(pins_disk(&pin, "", 4096512), PINS_DISK_OTHER);
}

/* Where the configuration names none. */
static void test_targets(void **state)
{
	struct config c;
	struct pins p;

	(void)state;
	config_init(&c);
	assert_ok(parse("place = locator 7680 1048576 A /dev/dm-0\n"
			"place = head 16384 4096000 - /img\n",
			&p));
	assert_ok(pins_add_targets(&p, &c));
	assert_int_equal(c.target_count, 2);
	assert_string_equal(config_candidate(&c, 0), "/dev/dm-0");
	assert_string_equal(config_candidate(&c, 1), "/img");
	assert_null(config_candidate(&c, 2));
	config_init(&c);
	assert_ok(config_use_target(&c, "/dev/vdb"));
	assert_true(c.unlisted);
	assert_ok(pins_add_targets(&p, &c));
	assert_int_equal(c.target_count, 1);
	assert_string_equal(config_candidate(&c, 0), "/dev/vdb");
	assert_null(config_candidate(&c, 1));
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"public = 0011",
		"public = 00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeef0",
		"authenticated = maybe",
		"auth = 0011",
		"place = head 8192 4096000 -",
		"place = tail 8192 4096000 - /x",
		"place = head 8193 4096000 - /x",
		"place = head 4096512 4096000 - /x",
		"place = head eight 4096000 - /x",
		"unknown = 1",
		"ext = 5ca1ab1e-0d0d-4bad-8bad-c0ffee000001 /file of no place",
		"place = locator 7680 4096000 - /x\next = 5ca1ab1e-0d0d-4bad-8bad-c0ffee000001 /f",
		"place = head 8192 4096000 - /x\next = 5ca1ab1e-0d0d-4bad-8bad /f",
		"place = head 8192 4096000 - /x\next = 5ca1ab1e-0d0d-4bad-8bad-c0ffee000001 f",
	};
	struct pins p = {.count = 77};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "authenticated = yes\n%s\n", bad[i]);
		assert_err(parse(text, &p), ERR_INVALID);
		assert_int_equal(p.count, 77);
		assert_false(p.authenticated);
	}
}

static void test_too_many(void **state)
{
	struct pins p = {.count = 0};
	struct pin pin = {.kind = PIN_HEAD, .byte = 0, .disk_bytes = 512};

	(void)state;
	for (unsigned int i = 0; i < CONFIG_TARGETS_MAX; i++) {
		snprintf(pin.target, sizeof(pin.target), "/%u", i);
		assert_ok(pins_set(&p, &pin));
	}
	assert_ok(pins_set(&p, &pin));
	strcpy(pin.target, "/more");
	assert_err(pins_set(&p, &pin), ERR_INVALID);
}

static void test_names(void **state)
{
	static const char *const bad[] = {"/img#1", "/img\n", "/a\tb", " /img", "/img "};
	struct pins p = {.count = 0};
	struct pin pin = {.kind = PIN_HEAD, .disk_bytes = 512};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strcpy(pin.target, bad[i]);
		assert_err(pins_set(&p, &pin), ERR_INVALID);
		assert_int_equal(p.count, 0);
	}
	strcpy(pin.target, "/an \xc3\xa4 = image");
	assert_ok(pins_set(&p, &pin));
}

static void test_print(void **state)
{
	struct pins p, again;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	assert_ok(parse("public = " KEY "\nauthenticated = yes\nauth = " KEY "\n"
			"place = locator 7680 1048576 A /dev/vdb\n"
			"place = head 8192 1048576 - /a b\n"
			"ext = 5ca1ab1e-0d0d-4bad-8bad-c0ffee000001 /c d\n",
			&p));
	strcpy(p.pins[0].identity, "QEMU 1");
	pins_print(&p, f);
	fclose(f);
	assert_ok(pins_parse(text, n, "printed", &again));
	free(text);
	assert_string_equal(again.pins[0].identity, "QEMU_1");
	assert_string_equal(again.pins[1].ext_path, "/c d");
	assert_string_equal(again.pins[1].ext_uuid, "5ca1ab1e-0d0d-4bad-8bad-c0ffee000001");
	assert_memory_equal(again.public_key, p.public_key, sizeof(p.public_key));
	assert_true(again.has_auth);
	assert_memory_equal(again.auth, p.public_key, sizeof(again.auth));
	assert_int_equal(again.pins[0].kind, PIN_LOCATOR);
	assert_int_equal(again.pins[0].byte, 7680);
	assert_true(again.authenticated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),	   cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_many),   cmocka_unit_test(test_names),
		cmocka_unit_test(test_same_place), cmocka_unit_test(test_targets),
		cmocka_unit_test(test_print),	   cmocka_unit_test(test_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
