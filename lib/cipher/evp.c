/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One context for each direction: the key is expanded once, and what remains to be
 * done for a message is to set its nonce. Contexts are wiped by EVP_CIPHER_CTX_free.
 */
#include "cipher/evp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct cipher_key {
	EVP_CIPHER_CTX *sealing, *opening;
};

static err_t failed(const char *what)
{
	return err_new(ERR_INVALID, "libcrypto failed %s", what);
}

err_t evp_create(const EVP_CIPHER *type, const uint8_t key[CIPHER_KEY_BYTES],
		 struct cipher_key **out)
{
	struct cipher_key *k = calloc(1, sizeof(*k));

	if (!k)
		return err_new(ERR_NOMEM, "a cipher's key");
	k->sealing = EVP_CIPHER_CTX_new();
	k->opening = EVP_CIPHER_CTX_new();
	if (!k->sealing || !k->opening ||
	    EVP_EncryptInit_ex(k->sealing, type, NULL, key, NULL) != 1 ||
	    EVP_DecryptInit_ex(k->opening, type, NULL, key, NULL) != 1) {
		evp_destroy(k);
		return failed("to set up a cipher's key");
	}
	assert(EVP_CIPHER_CTX_get_key_length(k->sealing) == (int)CIPHER_KEY_BYTES);
	assert(EVP_CIPHER_CTX_get_iv_length(k->sealing) == (int)CIPHER_NONCE_BYTES);
	*out = k;
	return NULL;
}

void evp_destroy(struct cipher_key *k)
{
	if (!k)
		return;
	EVP_CIPHER_CTX_free(k->sealing);
	EVP_CIPHER_CTX_free(k->opening);
	free(k);
}

err_t evp_seal(struct cipher_key *k, const uint8_t nonce[CIPHER_NONCE_BYTES],
	       const struct cipher_aad *aad, const void *in, size_t n, void *out,
	       uint8_t tag[CIPHER_TAG_BYTES])
{
	EVP_CIPHER_CTX *c = k->sealing;
	uint8_t rest[16];
	int done = 0;

	assert(n <= CIPHER_INPUT_MAX && aad->n <= CIPHER_INPUT_MAX);
	if (EVP_EncryptInit_ex(c, NULL, NULL, NULL, nonce) != 1 ||
	    (aad->n && EVP_EncryptUpdate(c, NULL, &done, aad->p, (int)aad->n) != 1) ||
	    (n && EVP_EncryptUpdate(c, out, &done, in, (int)n) != 1) ||
	    EVP_EncryptFinal_ex(c, rest, &done) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, CIPHER_TAG_BYTES, tag) != 1)
		return failed("to encrypt");
	return NULL;
}

err_t evp_open(struct cipher_key *k, const uint8_t nonce[CIPHER_NONCE_BYTES],
	       const struct cipher_aad *aad, const void *in, size_t n, void *out,
	       const uint8_t tag[CIPHER_TAG_BYTES])
{
	uint8_t expected[CIPHER_TAG_BYTES], rest[16];
	EVP_CIPHER_CTX *c = k->opening;
	int done = 0;

	assert(n <= CIPHER_INPUT_MAX && aad->n <= CIPHER_INPUT_MAX);
	memcpy(expected, tag, sizeof(expected)); /* the library's argument is not const */
	if (EVP_DecryptInit_ex(c, NULL, NULL, NULL, nonce) == 1 &&
	    (!aad->n || EVP_DecryptUpdate(c, NULL, &done, aad->p, (int)aad->n) == 1) &&
	    (!n || EVP_DecryptUpdate(c, out, &done, in, (int)n) == 1) &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, sizeof(expected), expected) == 1 &&
	    EVP_DecryptFinal_ex(c, rest, &done) == 1)
		return NULL;
	if (n)
		explicit_bzero(out, n);
	return err_new(ERR_AUTH, "not what was encrypted with this key");
}
