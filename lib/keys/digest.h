/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256 and what is made of it (FIPS 180-4, RFC 2104, RFC 5869), by libcrypto. Errors
 * are the library's: it allocates. */
#ifndef KEYS_DIGEST_H
#define KEYS_DIGEST_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 32u

err_t digest_sha256(const void *p, size_t n, uint8_t out[DIGEST_BYTES]) ERR_CHECK;
err_t digest_hmac(const uint8_t key[DIGEST_BYTES], const void *p, size_t n,
		  uint8_t out[DIGEST_BYTES]) ERR_CHECK;

struct digest_bytes {
	const void *p;
	size_t n;
};

/* One block of HKDF's output. */
err_t digest_hkdf(struct digest_bytes secret, struct digest_bytes salt, struct digest_bytes info,
		  uint8_t out[DIGEST_BYTES]) ERR_CHECK;

#endif
