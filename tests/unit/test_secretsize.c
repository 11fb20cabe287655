/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A keyslot of a header that anybody may have made gives fewer bytes than a secret has. Faults
 * planted, each found: what is there then taken for a secret, by passphrase or by token.
 */
#include "unit.h"

#include "tempfile.h"

#include <libcryptsetup.h>

static size_t gives;

static int fake_get(char *out, size_t *bytes)
{
	memset(out, 7, gives);
	*bytes = gives;
	return 0;
}

#define crypt_volume_key_get(cd, slot, out, bytes, pass, n)		       fake_get(out, bytes)
#define crypt_volume_key_get_by_keyslot_context(cd, slot, out, bytes, context) fake_get(out, bytes)
#include "keys/luks.c"
#include "keys/token.c"

static void test_size(void **state)
{
	static const struct luks_cost cheap = {.memory_kib = 64, .iterations = 4};
	struct secret s = {.auth_key = {1}}, got;
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;
	const struct token token = {0, TOKEN_TPM2, true, false};
	struct tempfile f;

	(void)state;
	tempfile_open(&f, 0);
	assert_ok(luks_create(f.path, &s, "x", 1, &cheap));
	assert_ok(luks_load(f.path, &cd));
	gives = sizeof(s);
	assert_ok(luks_open_passphrase(f.path, "x", 1, UINT64_MAX, &got));
	assert_true(try_token(cd, &token, &got) >= 0);
	gives = sizeof(s) / 2;
	assert_err(luks_open_passphrase(f.path, "x", 1, UINT64_MAX, &got), ERR_CORRUPT);
	assert_true(try_token(cd, &token, &got) < 0);
	tempfile_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_size)};

	return cmocka_run_group_tests_name("secretsize", tests, NULL, NULL);
}
