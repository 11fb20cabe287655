/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a keyslot may cost. Faults planted, each found: no limit of Argon2's passes, of what it
 * processes, or of its threads; one for its passes alone, whatever the memory; no limit of
 * PBKDF2's iterations, or of what it derives; the memory not compared; the digest's iterations
 * not looked at, or looked for in front of the digests only; the advice without the options
 * that make the passes few.
 */
#include "unit.h"

#include "keys/cryptdevice.c"
#include "keys/luks.h"
#include "luksfile.h"
#include "tempfile.h"

#include <stdbool.h>

#define ROOM	(64u << 20)
#define GIB_KIB (1u << 20)

static const struct {
	const char *type;
	uint32_t iterations, kib, threads;
	size_t key_bytes;
	uint64_t room;
	bool refused;
} cases[] = {
	{CRYPT_KDF_ARGON2ID, 4, 65536, 1, 64, ROOM, false},
	/* What cryptsetup makes where it may take 64 MiB, or 32 KiB, for 2 seconds. */
	{CRYPT_KDF_ARGON2ID, 150, 65536, 4, 64, ROOM, false},
	{CRYPT_KDF_ARGON2ID, 100000, 32, 4, 64, ROOM, false},
	{CRYPT_KDF_ARGON2ID, 1000000, 32, 1, 64, ROOM, false},
	{CRYPT_KDF_ARGON2ID, 1000001, 32, 1, 64, ROOM, true},
	{CRYPT_KDF_ARGON2I, UINT32_MAX, 32, 1, 64, ROOM, true},
	{CRYPT_KDF_ARGON2ID, 4096, 65536, 1, 64, ROOM, false},
	{CRYPT_KDF_ARGON2ID, 4097, 65536, 1, 64, ROOM, true},
	{CRYPT_KDF_ARGON2ID, 64, 4 * GIB_KIB, 1, 64, UINT64_MAX, false},
	{CRYPT_KDF_ARGON2ID, 65, 4 * GIB_KIB, 1, 64, UINT64_MAX, true},
	{CRYPT_KDF_ARGON2ID, 1000000, UINT32_MAX, 1, 64, UINT64_MAX, true},
	{CRYPT_KDF_ARGON2ID, 4, 65536, 5, 64, ROOM, true},
	{CRYPT_KDF_ARGON2ID, 4, 65537, 1, 64, ROOM, true},
	{CRYPT_KDF_ARGON2ID, 4, UINT32_MAX, 1, 64, ROOM, true},
	{CRYPT_KDF_PBKDF2, 1000, 0, 0, 64, ROOM, false},
	{CRYPT_KDF_PBKDF2, 100000000, 0, 0, 64, ROOM, false},
	{CRYPT_KDF_PBKDF2, 100000001, 0, 0, 64, ROOM, true},
	{CRYPT_KDF_PBKDF2, 1000, 0, 0, 65, ROOM, true},
	{NULL, 1000001, 0, 1, 64, ROOM, true},
};

static void test_cost(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct crypt_pbkdf_type p = {.type = cases[i].type,
						   .iterations = cases[i].iterations,
						   .parallel_threads = cases[i].threads,
						   .max_memory_kb = cases[i].kib};
		err_t e = check_cost(&p, cases[i].key_bytes, 1, cases[i].room);

		if (e && err_kind(e) != ERR_NOMEM)
			fail_msg("case %zu: %s", i, err_text(e));
		if (!e == cases[i].refused)
			fail_msg("case %zu", i);
		err_free(e);
	}
}

/* The whole of it: otherwise the tool measures, and may take more passes than before. */
static void test_advice(void **state)
{
	const struct crypt_pbkdf_type memory = {.type = CRYPT_KDF_ARGON2ID,
						.iterations = 4,
						.parallel_threads = 1,
						.max_memory_kb = 2 * ROOM / KIB},
				      passes = {.type = CRYPT_KDF_ARGON2ID,
						.iterations = 5000,
						.parallel_threads = 1,
						.max_memory_kb = ROOM / KIB};
	const struct crypt_pbkdf_type *const refused[] = {&memory, &passes};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		err_t e = check_cost(refused[i], 64, 3, ROOM);

		assert_non_null(e);
		assert_non_null(strstr(err_text(e), "keyslot 3 "));
		assert_non_null(strstr(err_text(e), "--pbkdf-memory 65536 "
						    "--pbkdf-force-iterations 4 "
						    "--pbkdf-parallel 1"));
		err_free(e);
	}
}

/* Of a header as dormouse setup makes it, with this in place of that. */
static err_t cost_with(const char *what, const char *instead)
{
	static const struct luks_cost cheap = {.memory_kib = 64, .iterations = 4};
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;
	struct secret s = {.auth_key = {1}};
	struct tempfile f;
	err_t e;

	tempfile_open(&f, 0);
	assert_ok(luks_create(f.path, &s, "x", 1, &cheap));
	if (what)
		luksfile_patch(f.path, LUKS_METADATA_BYTES, what, instead);
	assert_ok(luks_load(f.path, &cd));
	e = cryptdevice_check_cost(cd, 0, ROOM);
	tempfile_close(&f);
	return e;
}

#define KEY(n)	  "\"key_size\":" n "},"
#define ARGON2	  "\"kdf\":{\"type\":\"argon2id\",\"time\":4,\"memory\":64,\"cpus\":1,"
#define PBKDF2(n) "\"kdf\":{\"type\":\"pbkdf2\",\"hash\":\"sha256\",\"iterations\":" n ","
#define DIGEST(n) "\"hash\":\"sha256\",\"iterations\":" n ",\"salt\""

static void test_header(void **state)
{
	(void)state;
	assert_ok(cost_with(NULL, NULL));
	assert_ok(cost_with(DIGEST("1000"), DIGEST("100000000")));
	assert_err(cost_with(DIGEST("1000"), DIGEST("100000001")), ERR_NOMEM);
	assert_err(cost_with(DIGEST("1000"), DIGEST("4294967295")), ERR_NOMEM);
	assert_err(cost_with("\"time\":4,", "\"time\":2000000,"), ERR_NOMEM);
	assert_ok(cost_with(ARGON2, PBKDF2("100000000")));
	assert_err(cost_with(ARGON2, PBKDF2("100000001")), ERR_NOMEM);
	assert_ok(cost_with(KEY("64") ARGON2, KEY("64") PBKDF2("1000")));
	assert_err(cost_with(KEY("64") ARGON2, KEY("65") PBKDF2("1000")), ERR_NOMEM);
	assert_err(cost_with(KEY("64") ARGON2, KEY("65536") PBKDF2("1000")), ERR_NOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_advice),
		cmocka_unit_test(test_header),
	};

	return cmocka_run_group_tests_name("cryptdevice", tests, NULL, NULL);
}
