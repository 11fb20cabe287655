/* SPDX-License-Identifier: GPL-3.0-or-later */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "fingerprint/sha256.h"

/* These cannot fail (crypto/sha of libcrypto returns 1). */
void sha256_init(struct sha256 *s)
{
	SHA256_Init(&s->state);
}

void sha256_update(struct sha256 *s, const void *p, size_t n)
{
	SHA256_Update(&s->state, p, n);
}

void sha256_final(struct sha256 *s, uint8_t out[32])
{
	SHA256_Final(out, &s->state);
}
