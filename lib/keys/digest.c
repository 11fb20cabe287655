/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

err_t digest_sha256(const void *p, size_t n, uint8_t out[DIGEST_BYTES])
{
	if (EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL) != 1)
		return err_new(ERR_NOMEM, "libcrypto failed to hash");
	return NULL;
}

err_t digest_hmac(const uint8_t key[DIGEST_BYTES], const void *p, size_t n,
		  uint8_t out[DIGEST_BYTES])
{
	if (!HMAC(EVP_sha256(), key, DIGEST_BYTES, p, n, out, NULL))
		return err_new(ERR_NOMEM, "libcrypto failed to make a tag");
	return NULL;
}

/* The library takes parameters that it does not change as pointers without const. */
static OSSL_PARAM octets(const char *name, struct digest_bytes b)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)b.p, b.n);
}

err_t digest_hkdf(struct digest_bytes secret, struct digest_bytes salt, struct digest_bytes info,
		  uint8_t out[DIGEST_BYTES])
{
	char hash[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash, 0),
		octets(OSSL_KDF_PARAM_KEY, secret),
		octets(OSSL_KDF_PARAM_SALT, salt),
		octets(OSSL_KDF_PARAM_INFO, info),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	int r = ctx ? EVP_KDF_derive(ctx, out, DIGEST_BYTES, params) : 0;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return r == 1 ? NULL : err_new(ERR_NOMEM, "libcrypto failed to derive a key");
}
