/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A LUKS partition in a file, whose passphrase costs nothing. */
#ifndef UNIT_LUKSFILE_H
#define UNIT_LUKSFILE_H

#include "unit.h"

#include <libcryptsetup.h>
#include <unistd.h>

#define LUKSFILE_BYTES (24ull << 20)
#define LUKSFILE_PASS  "correct"

static inline void luksfile_quiet(int level, const char *text, void *ctx)
{
	(void)level;
	(void)text;
	(void)ctx;
}

static const struct crypt_pbkdf_type luksfile_cheap = {
	.type = CRYPT_KDF_PBKDF2,
	.hash = "sha256",
	.iterations = 1000,
	.flags = CRYPT_PBKDF_NO_BENCHMARK,
};

/* A LUKS partition in a file, of 4 KiB sectors with LUKS2; its key. */
static inline void luksfile_format(const char *path, const char *type, uint8_t key[64])
{
	struct crypt_params_luks2 p2 = {.pbkdf = &luksfile_cheap, .sector_size = 4096};
	struct crypt_params_luks1 p1 = {.hash = "sha256"};
	struct crypt_device *cd;

	for (int i = 0; i < 64; i++)
		key[i] = (uint8_t)(7 * i + 1);
	assert_int_equal(truncate(path, LUKSFILE_BYTES), 0);
	assert_int_equal(crypt_init(&cd, path), 0);
	crypt_set_log_callback(cd, luksfile_quiet, NULL);
	if (!strcmp(type, CRYPT_LUKS1))
		assert_int_equal(crypt_set_pbkdf_type(cd, &luksfile_cheap), 0);
	assert_int_equal(crypt_format(cd, type, "aes", "xts-plain64", NULL, (char *)key, 64,
				      !strcmp(type, CRYPT_LUKS1) ? (void *)&p1 : (void *)&p2),
			 0);
	assert_int_equal(crypt_keyslot_add_by_volume_key(cd, CRYPT_ANY_SLOT, (char *)key, 64,
							 LUKSFILE_PASS, strlen(LUKSFILE_PASS)),
			 0);
	crypt_free(cd);
}

#endif
