/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AES-256-GCM (NIST SP 800-38D): the fastest where the CPU has AES and a carry-less
 * multiplication, and without them slow, and with tables that the cache gives away. */
#include "cipher/evp.h"

static bool aesgcm_is_fast(void)
{
	return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
}

static err_t aesgcm_create(const uint8_t key[CIPHER_KEY_BYTES], struct cipher_key **out)
{
	return evp_create(EVP_aes_256_gcm(), key, out);
}

const struct cipher cipher_aes_256_gcm = {
	.name = "aes-256-gcm",
	.is_fast = aesgcm_is_fast,
	.create = aesgcm_create,
	.destroy = evp_destroy,
	.seal = evp_seal,
	.open = evp_open,
};
