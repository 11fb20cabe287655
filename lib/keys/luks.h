/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The secret behind passphrases and tokens: a LUKS2 header in a file of its own, without
 * a data device. Its "volume key" is the secret, so the ordinary tools manage who may
 * open it: cryptsetup luksAddKey, luksChangeKey, luksKillSlot, systemd-cryptenroll. The
 * public key stands in it as a token of type "dormouse", for everybody to read.
 *
 * Errors of all: ERR_CORRUPT, damaged (LUKS2 keeps its metadata twice; one copy
 * suffices), or not a header of ours; ERR_REFUSED, nothing can open it any more; ERR_IO.
 * Texts name the file. Needs libcryptsetup, so only `dormouse` and `dormouse-unlock` use it.
 */
#ifndef KEYS_LUKS_H
#define KEYS_LUKS_H

#include "base/err.h"
#include "keys/secret.h"

#include <stddef.h>
#include <stdint.h>

/* Two copies of the metadata, and room for four passphrases or tokens. */
#define LUKS_METADATA_BYTES 16384u
#define LUKS_KEYSLOT_BYTES  258048u
#define LUKS_KEYSLOTS	    4u
#define LUKS_HEADER_BYTES   (2 * LUKS_METADATA_BYTES + LUKS_KEYSLOTS * LUKS_KEYSLOT_BYTES)

/* What Argon2id costs whoever guesses a passphrase, and whoever knows it. One thread. */
struct luks_cost {
	uint32_t memory_kib;
	uint32_t iterations; /* at least 4 */
};

/* 64 MiB, so that it can be paid in an initramfs of a small machine, 4 times over. */
extern const struct luks_cost luks_cost;

/*
 * The program works on files of its own, which nobody else has open: take no locks. They
 * are files in /run, and need a kernel with CONFIG_FILE_LOCKING.
 */
void luks_without_locks(void);

/* Into an existing, empty file, which has LUKS_HEADER_BYTES then, and is not flushed. */
err_t luks_create(const char *path, const struct secret *secret, const char *passphrase, size_t n,
		  const struct luks_cost *cost) ERR_CHECK;

/*
 * memory: bytes that opening may take. ERR_AUTH: no keyslot opens with it. ERR_NOMEM:
 * perhaps one would, but it was made to need more memory. On an error *out is unchanged.
 */
err_t luks_open_passphrase(const char *path, const char *passphrase, size_t n, uint64_t memory,
			   struct secret *out) ERR_CHECK;

/* So much memory can be had without anything else being pushed out; and so much there is. */
uint64_t luks_memory(void);
uint64_t luks_memory_all(void);

/* The public key that the header claims; whoever can write the file can change it. */
err_t luks_public_key(const char *path, uint8_t out[SECRET_KEY_BYTES]) ERR_CHECK;

/*
 * For what looks into such a header otherwise (keys/token.c). It has a keyslot, not
 * more than there is room for, and the size of what it protects is right. *cd: crypt_free it, also
 * after an error.
 */
struct crypt_device;
err_t luks_load(const char *path, struct crypt_device **cd) ERR_CHECK;

#endif
