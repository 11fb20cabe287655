/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A LUKS partition in a file, whose passphrase costs nothing; and headers that no tool makes. */
#ifndef UNIT_LUKSFILE_H
#define UNIT_LUKSFILE_H

#include "unit.h"

#include <fcntl.h>
#include <libcryptsetup.h>
#include <openssl/evp.h>
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

/* LUKS2 On-Disk Format Specification, "Binary Header": SHA-256 over both areas, itself zero. */
#define LUKSFILE_JSON	 4096u
#define LUKSFILE_SUM	 448u
#define LUKSFILE_SUM_MAX 64u

/* The JSON of both copies, metadata bytes each, with one text instead of another. */
static inline void luksfile_patch(const char *path, size_t metadata, const char *what,
				  const char *instead)
{
	char *copy = malloc(metadata), *at;
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0 && copy);
	for (off_t place = 0; place < (off_t)(2 * metadata); place += (off_t)metadata) {
		assert_int_equal(pread(fd, copy, metadata, place), metadata);
		at = strstr(copy + LUKSFILE_JSON, what);
		if (!at) {
			fail_msg("there is no %s", what);
			return; /* never; the compiler does not know */
		}
		memmove(at + strlen(instead), at + strlen(what), strlen(at + strlen(what)) + 1);
		memcpy(at, instead, strlen(instead));
		memset(copy + LUKSFILE_SUM, 0, LUKSFILE_SUM_MAX);
		assert_int_equal(EVP_Digest(copy, metadata, (uint8_t *)copy + LUKSFILE_SUM, NULL,
					    EVP_sha256(), NULL),
				 1);
		assert_int_equal(pwrite(fd, copy, metadata, place), metadata);
	}
	close(fd);
	free(copy);
}

#endif
