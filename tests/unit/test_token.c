/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is told of tokens without a device that could open anything (a machine with a TPM:
 * the scenarios sealed-tpm2*). Faults planted, each found: a PIN not noticed; a PIN taken for
 * one where the JSON says false; tokens of other types counted; the search ended by the
 * first token; "no token" said of tokens that do not open; *out changed; a
 * keyslot tried that takes hours.
 */
#include "unit.h"

#include "base/util.h"
#include "keys/luks.h"
#include "keys/token.h"
#include "luksfile.h"
#include "tempfile.h"
#include "tokentext.h"

#include <stdio.h>

#define PASS "a passphrase"

#define TPM2	 TOKENTEXT_TPM2("0")
#define FIDO2	 TOKENTEXT_FIDO2("0")
#define PKCS11	 TOKENTEXT_PKCS11("0")
#define RECOVERY TOKENTEXT_RECOVERY("0")

static void make(struct tempfile *f)
{
	static const struct luks_cost cheap = {.memory_kib = 64, .iterations = 4};
	struct secret s;

	memset(&s, 0x5a, sizeof(s));
	tempfile_open(f, 0);
	assert_ok(luks_create(f->path, &s, PASS, strlen(PASS), &cheap));
}

static void add(const struct tempfile *f, const char *format, const char *pin)
{
	tokentext_add(f->path, format, pin);
}

static void assert_count(const struct tempfile *f, unsigned int tpm2, unsigned int fido2,
			 unsigned int with_pin)
{
	struct token_count n;

	assert_ok(token_count(f->path, &n));
	assert_int_equal(n.usable[TOKEN_TPM2], tpm2);
	assert_int_equal(n.usable[TOKEN_FIDO2], fido2);
	assert_int_equal(n.with_pin, with_pin);
}

/* It is not opened; and this is said, the last may be NULL. */
static void assert_not_opened(const struct tempfile *f, enum err_kind kind, const char *says,
			      const char *also)
{
	struct secret got = {.auth_key = {9}}, before = got;
	err_t e = token_open(f->path, &got);

	assert_non_null(e);
	assert_int_equal(err_kind(e), kind);
	if (!strstr(err_text(e), says) || (also && !strstr(err_text(e), also)))
		fail_msg("it says %s", err_text(e));
	err_free(e);
	assert_memory_equal(&got, &before, sizeof(got));
}

static void test_none(void **state)
{
	struct tempfile f;

	(void)state;
	make(&f);
	assert_count(&f, 0, 0, 0);
	assert_not_opened(&f, ERR_REFUSED, "has no token", NULL);
	add(&f, PKCS11, "");
	add(&f, RECOVERY, "");
	assert_count(&f, 0, 0, 0);
	assert_not_opened(&f, ERR_REFUSED, "has no token", NULL);
	tempfile_close(&f);
}

static void test_pin(void **state)
{
	struct tempfile f;

	(void)state;
	make(&f);
	add(&f, TPM2, "true");
	assert_count(&f, 0, 0, 1);
	assert_not_opened(&f, ERR_AUTH, "the TPM2 token: it wants a PIN", NULL);
	add(&f, FIDO2, "true");
	assert_count(&f, 0, 0, 2);
	assert_not_opened(&f, ERR_AUTH, "the TPM2 token: it wants a PIN",
			  "; the FIDO2 token: it wants a PIN");
	tempfile_close(&f);
}

/* Whatever this machine has: it cannot open these. */
static void test_useless(void **state)
{
	struct tempfile f;

	(void)state;
	make(&f);
	add(&f, TPM2, "false");
	assert_count(&f, 1, 0, 0);
	assert_not_opened(&f, ERR_AUTH, "the TPM2 token: ", NULL);
	add(&f, FIDO2, "false");
	add(&f, TPM2, "true");
	assert_count(&f, 1, 1, 1);
	assert_not_opened(&f, ERR_AUTH, "; the FIDO2 token: ", "; the TPM2 token: it wants a PIN");
	tempfile_close(&f);
}

/* Of a header that somebody has put there, so that the boot hangs. */
static void test_cost(void **state)
{
	struct tempfile f;

	(void)state;
	make(&f);
	luksfile_patch(f.path, LUKS_METADATA_BYTES, "\"time\":4,", "\"time\":2000000000,");
	add(&f, TPM2, "false");
	assert_not_opened(&f, ERR_AUTH, "takes more time or memory", NULL);
	tempfile_close(&f);
}

static void test_damage(void **state)
{
	struct token_count n;
	struct secret got;
	struct tempfile f;

	(void)state;
	make(&f);
	for (size_t copy = 0; copy < 2; copy++)
		for (size_t i = 0; i < 8; i++)
			tempfile_flip(&f, copy * LUKS_METADATA_BYTES + i, 0xff);
	assert_err(token_count(f.path, &n), ERR_CORRUPT);
	assert_err(token_open(f.path, &got), ERR_CORRUPT);
	tempfile_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),	cmocka_unit_test(test_pin),
		cmocka_unit_test(test_useless), cmocka_unit_test(test_cost),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
