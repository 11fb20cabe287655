/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Authenticated encryption with associated data. A new AEAD is one file and one line
 * in the table of cipher.c; its number is its id on disk (docs/image-format.md,
 * "Ciphers") and is never used again. All of them take a key of 32 bytes, a nonce of
 * 12 and give a tag of 16, and the ciphertext is as long as the plaintext.
 */
#ifndef CIPHER_CIPHER_H
#define CIPHER_CIPHER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CIPHER_KEY_BYTES   32u
#define CIPHER_NONCE_BYTES 12u
#define CIPHER_TAG_BYTES   16u
#define CIPHER_INPUT_MAX   (16u << 20) /* bytes to seal at once */

enum cipher_id {
	CIPHER_NONE = 0, /* no cipher: never in the table */
	CIPHER_AES_256_GCM = 1,
	CIPHER_CHACHA20_POLY1305 = 2,
};

/* A key ready for use, by one thread at a time. */
struct cipher_key;

struct cipher_aad {
	const void *p;
	size_t n;
};

struct cipher {
	const char *name; /* "aes-256-gcm", as in the configuration */

	/* Has this CPU the instructions that make it fast? */
	bool (*is_fast)(void);

	/* The key is copied, and wiped by destroy (which may be given NULL). Of the
	 * four only create allocates anything. */
	err_t (*create)(const uint8_t key[CIPHER_KEY_BYTES], struct cipher_key **out);
	void (*destroy)(struct cipher_key *k);

	/* n bytes at in become n bytes at out, which is the same place or lies apart.
	 * A nonce MUST NOT be used twice with a key. Errors are the library's. */
	err_t (*seal)(struct cipher_key *k, const uint8_t nonce[CIPHER_NONCE_BYTES],
		      const struct cipher_aad *aad, const void *in, size_t n, void *out,
		      uint8_t tag[CIPHER_TAG_BYTES]);

	/* The other way. ERR_AUTH: not what was sealed with this key, nonce and AAD;
	 * then all of out is zero. */
	err_t (*open)(struct cipher_key *k, const uint8_t nonce[CIPHER_NONCE_BYTES],
		      const struct cipher_aad *aad, const void *in, size_t n, void *out,
		      const uint8_t tag[CIPHER_TAG_BYTES]);
};

/* The backends, for the table alone. */
extern const struct cipher cipher_aes_256_gcm;
extern const struct cipher cipher_chacha20_poly1305;

/* NULL for an unknown id or name. */
const struct cipher *cipher_by_id(uint8_t id);
const struct cipher *cipher_by_name(const char *name);
uint8_t cipher_id(const struct cipher *cipher);

/* The one that this CPU is fastest with: the first of the table that it has
 * instructions for. One of them needs none, so there is always one. */
const struct cipher *cipher_fastest(void);

#endif
