/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SHA-256 piece by piece. libcrypto's own functions, not its EVP: they allocate
 * nothing, and cannot fail.
 */
#ifndef FINGERPRINT_SHA256_H
#define FINGERPRINT_SHA256_H

#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

struct sha256 {
	SHA256_CTX state;
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *p, size_t n);
void sha256_final(struct sha256 *s, uint8_t out[32]);

#endif
