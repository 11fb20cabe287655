/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a keyslot may cost. Faults planted, each found: no limit of Argon2's passes, or of
 * PBKDF2's iterations, or one for both; the memory not compared.
 */
#include "unit.h"

#include "keys/cryptdevice.c"

#define ROOM (64u << 20)

static const struct {
	const char *type;
	uint32_t iterations, kib;
	bool refused;
} cases[] = {
	{CRYPT_KDF_ARGON2ID, 4, 65536, false},	{CRYPT_KDF_ARGON2ID, 64, 65536, false},
	{CRYPT_KDF_ARGON2ID, 65, 32, true},	{CRYPT_KDF_ARGON2I, UINT32_MAX, 32, true},
	{CRYPT_KDF_ARGON2ID, 4, 65537, true},	{CRYPT_KDF_ARGON2ID, 4, UINT32_MAX, true},
	{CRYPT_KDF_PBKDF2, 1000, 0, false},	{CRYPT_KDF_PBKDF2, 100000000, 0, false},
	{CRYPT_KDF_PBKDF2, 100000001, 0, true}, {NULL, 65, 0, true},
};

static void test_cost(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct crypt_pbkdf_type p = {.type = cases[i].type,
						   .iterations = cases[i].iterations,
						   .max_memory_kb = cases[i].kib};
		err_t e = check_cost(&p, 1, ROOM);

		if (e && err_kind(e) != ERR_NOMEM)
			fail_msg("case %zu: %s", i, err_text(e));
		if (!e == cases[i].refused)
			fail_msg("case %zu", i);
		err_free(e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cost)};

	return cmocka_run_group_tests_name("cryptdevice", tests, NULL, NULL);
}
