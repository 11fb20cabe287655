/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AEADs that libcrypto's EVP has: all of struct cipher but the name and is_fast. */
#ifndef CIPHER_EVP_H
#define CIPHER_EVP_H

#include "cipher/cipher.h"

#include <openssl/evp.h>

err_t evp_create(const EVP_CIPHER *type, const uint8_t key[CIPHER_KEY_BYTES],
		 struct cipher_key **out) ERR_CHECK;
void evp_destroy(struct cipher_key *k);
err_t evp_seal(struct cipher_key *k, const uint8_t nonce[CIPHER_NONCE_BYTES],
	       const struct cipher_aad *aad, const void *in, size_t n, void *out,
	       uint8_t tag[CIPHER_TAG_BYTES]) ERR_CHECK;
err_t evp_open(struct cipher_key *k, const uint8_t nonce[CIPHER_NONCE_BYTES],
	       const struct cipher_aad *aad, const void *in, size_t n, void *out,
	       const uint8_t tag[CIPHER_TAG_BYTES]) ERR_CHECK;

#endif
