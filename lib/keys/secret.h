/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a passphrase or token protects: the 64 bytes that open every image of a
 * machine. Keep it in locked memory (keys/locked.h).
 */
#ifndef KEYS_SECRET_H
#define KEYS_SECRET_H

#include "base/err.h"
#include "keys/digest.h"

#include <stdint.h>

#define SECRET_BYTES	 64u
#define SECRET_KEY_BYTES 32u /* each of its parts, and the public key */

struct secret {
	uint8_t private_key[SECRET_KEY_BYTES]; /* X25519 (RFC 7748) */
	uint8_t auth_key[SECRET_KEY_BYTES];    /* who knows it can make authentic images */
};

/* A new one, random. */
err_t secret_create(struct secret *out) ERR_CHECK;

/* The public key that belongs to it. */
err_t secret_public(const struct secret *s, uint8_t out[SECRET_KEY_BYTES]) ERR_CHECK;

/* By which the authentication key can be told from others without giving it away. */
err_t secret_auth_digest(const uint8_t auth_key[SECRET_KEY_BYTES], uint8_t out[DIGEST_BYTES])
	ERR_CHECK;

#endif
