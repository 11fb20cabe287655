/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/x25519.h"

#include <openssl/evp.h>

static err_t load(const uint8_t private_key[X25519_BYTES], EVP_PKEY **out)
{
	*out = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, X25519_BYTES);
	return *out ? NULL : err_new(ERR_NOMEM, "libcrypto failed to take a private key");
}

err_t x25519_public(const uint8_t private_key[X25519_BYTES], uint8_t out[X25519_BYTES])
{
	size_t n = X25519_BYTES;
	EVP_PKEY *key;
	int r;

	TRY(load(private_key, &key));
	r = EVP_PKEY_get_raw_public_key(key, out, &n);
	EVP_PKEY_free(key);
	return r == 1 ? NULL : err_new(ERR_NOMEM, "libcrypto failed to make a public key");
}

/* A result of zero is refused by the library (RFC 7748, 6.1: ossl_x25519 gives 0). */
err_t x25519_shared(const uint8_t private_key[X25519_BYTES], const uint8_t other[X25519_BYTES],
		    uint8_t out[X25519_BYTES])
{
	EVP_PKEY *key, *peer;
	EVP_PKEY_CTX *ctx;
	size_t n = X25519_BYTES;
	int r;

	TRY(load(private_key, &key));
	peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, other, X25519_BYTES);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	r = peer && ctx && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, peer) == 1 && EVP_PKEY_derive(ctx, out, &n) == 1;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(key);
	return r ? NULL : err_new(ERR_AUTH, "the public key in the image is none");
}
