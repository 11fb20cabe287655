/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ChaCha20-Poly1305 (RFC 8439): needs no instructions of its own. */
#include "cipher/evp.h"

static bool chachapoly_is_fast(void)
{
	return true; /* each x86_64 has what it uses; which comes first is the table's order */
}

static err_t chachapoly_create(const uint8_t key[CIPHER_KEY_BYTES], struct cipher_key **out)
{
	return evp_create(EVP_chacha20_poly1305(), key, out);
}

const struct cipher cipher_chacha20_poly1305 = {
	.name = "chacha20-poly1305",
	.is_fast = chachapoly_is_fast,
	.create = chachapoly_create,
	.destroy = evp_destroy,
	.seal = evp_seal,
	.open = evp_open,
};
