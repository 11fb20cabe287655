/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Diffie-Hellman on Curve25519 (RFC 7748), by libcrypto. */
#ifndef KEYS_X25519_H
#define KEYS_X25519_H

#include "base/err.h"

#include <stdint.h>

#define X25519_BYTES 32u

err_t x25519_public(const uint8_t private_key[X25519_BYTES], uint8_t out[X25519_BYTES]) ERR_CHECK;

/* ERR_AUTH: the other's public key is one that gives the same secret to everybody. */
err_t x25519_shared(const uint8_t private_key[X25519_BYTES], const uint8_t other[X25519_BYTES],
		    uint8_t out[X25519_BYTES]) ERR_CHECK;

#endif
