/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: the data's offset in sectors instead of bytes; the size
 * without the header taken off; the token of another type taken for ours; a second
 * token made by a second volume_mark; the key left in *out after a failure; a second token for
 * what a boot has decided, and that kept for the next image; one that is being encrypted
 * anew taken; any cipher taken, or one that begins as a good one. (LUKS
 * with integrity needs a device: not tried.)
 */
#include "unit.h"

#include "keys/volume.h"
#include "luksfile.h"
#include "tempfile.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int tokens(const char *path)
{
	struct crypt_device *cd;
	int n = 0;

	assert_int_equal(crypt_init(&cd, path), 0);
	assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	for (int i = 0; i < crypt_token_max(CRYPT_LUKS2); i++)
		n += crypt_token_status(cd, i, NULL) != CRYPT_TOKEN_INACTIVE;
	crypt_free(cd);
	return n;
}

static void test_open(void **state)
{
	struct encrypted_area area;
	uint8_t key[64];
	const char *path = ((struct tempfile *)*state)->path;

	luksfile_format(path, CRYPT_LUKS2, key);
	assert_ok(volume_open(path, LUKSFILE_PASS, strlen(LUKSFILE_PASS), &area));
	assert_int_equal(area.start, 16 << 20);
	assert_int_equal(area.bytes, LUKSFILE_BYTES - (16 << 20));
	assert_int_equal(area.sector_bytes, 4096);
	assert_int_equal(area.iv_offset, 0);
	assert_int_equal(area.key_bytes, 64);
	assert_memory_equal(area.key, key, 64);
	assert_string_equal(area.cipher, "aes-xts-plain64");
}

static void test_wrong(void **state)
{
	static const struct encrypted_area nothing;
	struct encrypted_area area;
	uint8_t key[64];
	const char *path = ((struct tempfile *)*state)->path;
	bool image;

	assert_int_equal(truncate(path, LUKSFILE_BYTES), 0);
	assert_err(volume_open(path, LUKSFILE_PASS, strlen(LUKSFILE_PASS), &area), ERR_FORMAT);
	luksfile_format(path, CRYPT_LUKS2, key);
	assert_err(volume_open(path, "wrong", 5, &area), ERR_AUTH);
	assert_memory_equal(&area, &nothing, sizeof(area));
	assert_err(volume_open("/nowhere/at/all", LUKSFILE_PASS, strlen(LUKSFILE_PASS), &area),
		   ERR_IO);
	luksfile_format(path, CRYPT_LUKS1, key);
	assert_ok(volume_open(path, LUKSFILE_PASS, strlen(LUKSFILE_PASS), &area));
	assert_int_equal(area.sector_bytes, 512);
	assert_err(volume_marked(path, &image), ERR_UNSUPPORTED);
	assert_err(volume_mark(path, true), ERR_UNSUPPORTED);
}

/* The kernel would decrypt one part of it with another key, or in another way. */
static void test_reencrypting(void **state)
{
	struct encrypted_area area;
	struct crypt_device *cd;
	uint8_t key[64];
	const char *path = ((struct tempfile *)*state)->path;

	luksfile_format(path, CRYPT_LUKS2, key);
	assert_int_equal(crypt_init(&cd, path), 0);
	assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	assert_int_equal(crypt_persistent_flags_set(cd, CRYPT_FLAGS_REQUIREMENTS,
						    CRYPT_REQUIREMENT_OFFLINE_REENCRYPT),
			 0);
	crypt_free(cd);
	assert_err(volume_describe(path, &area), ERR_UNSUPPORTED);
	assert_err(volume_open(path, LUKSFILE_PASS, strlen(LUKSFILE_PASS), &area), ERR_UNSUPPORTED);
}

/* A header that somebody has put there: the image would be written for them to read. */
static void test_cipher(void **state)
{
	static const char segment[] = "\"encryption\":\"aes-xts-plain64\",\"sector_size\"";
	static const char *const bad[] = {"cipher_null-ecb", "aes:2-ctr-plain64",
					  "aes-xts-plain64be", "aes\\t-xts-plain64", "aes-ecb"};
	struct encrypted_area area;
	char instead[128];
	uint8_t key[64];
	const char *path = ((struct tempfile *)*state)->path;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		luksfile_format(path, CRYPT_LUKS2, key);
		snprintf(instead, sizeof(instead), "\"encryption\":\"%s\",\"sector_size\"", bad[i]);
		luksfile_patch(path, 16384, segment, instead);
		assert_true(unit_is_err(volume_describe(path, &area)));
		assert_true(unit_is_err(
			volume_open(path, LUKSFILE_PASS, strlen(LUKSFILE_PASS), &area)));
	}
	luksfile_format(path, CRYPT_LUKS2, key);
	luksfile_patch(path, 16384, segment,
		       "\"encryption\":\"aes-cbc-essiv:sha256\",\"sector_size\"");
	assert_ok(volume_describe(path, &area));
	assert_string_equal(area.cipher, "aes-cbc-essiv:sha256");
}

static void test_mark(void **state)
{
	struct crypt_device *cd;
	uint8_t key[64];
	const char *path = ((struct tempfile *)*state)->path;
	bool image = true;

	luksfile_format(path, CRYPT_LUKS2, key);
	assert_int_equal(crypt_init(&cd, path), 0);
	assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	assert_int_equal(
		crypt_token_json_set(cd, CRYPT_ANY_TOKEN, "{\"type\":\"another\",\"keyslots\":[]}"),
		0);
	crypt_free(cd);
	assert_ok(volume_marked(path, &image));
	assert_false(image);
	assert_ok(volume_mark(path, false));
	for (int i = 0; i < 2; i++) {
		assert_ok(volume_mark(path, true));
		assert_int_equal(tokens(path), 2);
		assert_ok(volume_marked(path, &image));
		assert_true(image);
	}
	assert_ok(volume_mark(path, false));
	assert_int_equal(tokens(path), 1);
}

/* Each keyslot is tried by itself: the first one's passphrase is another. */
static void test_second_slot(void **state)
{
	struct encrypted_area area;
	struct crypt_device *cd;
	uint8_t key[64];
	const char *path = ((struct tempfile *)*state)->path;

	luksfile_format(path, CRYPT_LUKS2, key);
	assert_int_equal(crypt_init(&cd, path), 0);
	assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	assert_int_equal(crypt_set_pbkdf_type(cd, &luksfile_cheap), 0);
	assert_true(crypt_keyslot_add_by_passphrase(cd, 5, LUKSFILE_PASS, strlen(LUKSFILE_PASS),
						    "second", 6) == 5);
	crypt_free(cd);
	assert_ok(volume_open(path, "second", 6, &area));
	assert_memory_equal(area.key, key, 64);
	assert_ok(volume_open(path, LUKSFILE_PASS, strlen(LUKSFILE_PASS), &area));
	assert_err(volume_open(path, "third", 5, &area), ERR_AUTH);
}

/* One token, whatever it says; a host sees an image in it whatever a boot has decided. */
static void test_decided(void **state)
{
	static const enum volume_image order[] = {VOLUME_SKIPPED, VOLUME_DISCARDED, VOLUME_IMAGE,
						  VOLUME_DISCARDED, VOLUME_SKIPPED};
	struct encrypted_area area;
	enum volume_image got;
	uint8_t key[64];
	const char *path = ((struct tempfile *)*state)->path;
	bool image = false;

	luksfile_format(path, CRYPT_LUKS2, key);
	assert_ok(volume_get(path, &got));
	assert_int_equal(got, VOLUME_NONE);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		assert_ok(volume_set(path, order[i]));
		assert_int_equal(tokens(path), 1);
		assert_ok(volume_get(path, &got));
		assert_int_equal(got, order[i]);
		assert_ok(volume_marked(path, &image));
		assert_true(image);
	}
	/* A new image is not one that was skipped. */
	assert_ok(volume_mark(path, true));
	assert_ok(volume_get(path, &got));
	assert_int_equal(got, VOLUME_IMAGE);
	assert_ok(volume_set(path, VOLUME_DISCARDED));
	assert_ok(volume_mark(path, false));
	assert_int_equal(tokens(path), 0);
	assert_ok(volume_open(path, LUKSFILE_PASS, strlen(LUKSFILE_PASS), &area));
}

static int setup(void **state)
{
	static struct tempfile f;

	tempfile_open(&f, 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	tempfile_close(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cipher, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mark, setup, teardown),
		cmocka_unit_test_setup_teardown(test_decided, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reencrypting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_second_slot, setup, teardown),
	};

	/* Its locks would be in /run, which is not the test's. */
	crypt_metadata_locking(NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
