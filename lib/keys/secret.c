/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/secret.h"

#include "keys/random.h"
#include "keys/x25519.h"

#include <assert.h>

static_assert(sizeof(struct secret) == SECRET_BYTES, "a secret has no padding");

err_t secret_create(struct secret *out)
{
	return random_bytes(out, sizeof(*out));
}

err_t secret_public(const struct secret *s, uint8_t out[SECRET_KEY_BYTES])
{
	return x25519_public(s->private_key, out);
}

err_t secret_auth_digest(const uint8_t auth_key[SECRET_KEY_BYTES], uint8_t out[DIGEST_BYTES])
{
	static const char label[] = "dormouse authentication key 1";

	return digest_hmac(auth_key, label, sizeof(label) - 1, out);
}
