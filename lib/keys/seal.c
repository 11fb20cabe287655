/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A key-encryption key is derived of a Diffie-Hellman secret between a key pair made
 * for this image alone and the recipient, and of the authentication key where there is
 * one. All that it must be bound to goes into the derivation; since the key serves one
 * message, its nonce is zero.
 */
#include "keys/seal.h"

#include "cipher/cipher.h"
#include "keys/digest.h"
#include "keys/random.h"
#include "keys/x25519.h"

#include <assert.h>
#include <string.h>

static_assert(IMAGE_KEY_BYTES == CIPHER_KEY_BYTES, "a key for any cipher");

static const char label[] = "dormouse key 1"; /* without its NUL */

static const uint8_t zero_nonce[CIPHER_NONCE_BYTES];

/* What goes into the derivation besides secrets. */
struct kek_info {
	char label[sizeof(label) - 1];
	uint8_t ephemeral[X25519_BYTES];
	uint8_t public_key[X25519_BYTES];
	uint8_t authenticated; /* 1: the authentication key is part of the secret */
};

static_assert(sizeof(struct kek_info) == 79, "Sealed key: derivation");

/* private_key with other: the ephemeral one with the recipient's, or the other way. */
struct kek_input {
	const uint8_t *private_key, *other;
	const uint8_t *ephemeral, *public_key;
	const uint8_t *auth_key; /* NULL: not authenticated */
	const uint8_t *nonce;
};

static err_t derive_kek(const struct kek_input *in, uint8_t kek[CIPHER_KEY_BYTES])
{
	uint8_t secret[X25519_BYTES + SECRET_KEY_BYTES] = {0};
	size_t n = in->auth_key ? sizeof(secret) : X25519_BYTES;
	struct kek_info info = {.authenticated = in->auth_key != NULL};
	err_t e;

	memcpy(info.label, label, sizeof(info.label));
	memcpy(info.ephemeral, in->ephemeral, sizeof(info.ephemeral));
	memcpy(info.public_key, in->public_key, sizeof(info.public_key));
	e = x25519_shared(in->private_key, in->other, secret);
	if (in->auth_key)
		memcpy(secret + X25519_BYTES, in->auth_key, SECRET_KEY_BYTES);
	if (!e)
		e = digest_hkdf((struct digest_bytes){secret, n},
				(struct digest_bytes){in->nonce, KEYBLOCK_NONCE_BYTES},
				(struct digest_bytes){&info, sizeof(info)}, kek);
	explicit_bzero(secret, sizeof(secret));
	return e;
}

/* The image key, into or out of the block. */
static err_t wrap(const uint8_t kek[CIPHER_KEY_BYTES], const uint8_t image_key[IMAGE_KEY_BYTES],
		  struct keyblock *k)
{
	const struct cipher_aad none = {0};
	struct cipher_key *key;
	err_t e;

	TRY(cipher_aes_256_gcm.create(kek, &key));
	e = cipher_aes_256_gcm.seal(key, zero_nonce, &none, image_key, IMAGE_KEY_BYTES, k->sealed,
				    k->tag);
	cipher_aes_256_gcm.destroy(key);
	return e;
}

static err_t unwrap(const uint8_t kek[CIPHER_KEY_BYTES], const struct keyblock *k,
		    uint8_t image_key[IMAGE_KEY_BYTES])
{
	const struct cipher_aad none = {0};
	uint8_t opened[IMAGE_KEY_BYTES];
	struct cipher_key *key;
	err_t e;

	TRY(cipher_aes_256_gcm.create(kek, &key));
	e = cipher_aes_256_gcm.open(key, zero_nonce, &none, k->sealed, IMAGE_KEY_BYTES, opened,
				    k->tag);
	cipher_aes_256_gcm.destroy(key);
	if (!e)
		memcpy(image_key, opened, sizeof(opened));
	explicit_bzero(opened, sizeof(opened));
	return e;
}

static err_t seal_with(const struct seal_recipient *to, const uint8_t nonce[KEYBLOCK_NONCE_BYTES],
		       const uint8_t image_key[IMAGE_KEY_BYTES],
		       const uint8_t ephemeral_private[X25519_BYTES], struct keyblock *k)
{
	struct kek_input in = {ephemeral_private,
			       to->public_key,
			       k->ephemeral,
			       to->public_key,
			       to->authenticated ? to->auth_key : NULL,
			       nonce};
	uint8_t kek[CIPHER_KEY_BYTES];
	err_t e;

	memcpy(k->nonce, nonce, sizeof(k->nonce));
	TRY(x25519_public(ephemeral_private, k->ephemeral));
	TRY(digest_sha256(to->public_key, SECRET_KEY_BYTES, k->recipient));
	e = derive_kek(&in, kek);
	if (!e)
		e = wrap(kek, image_key, k);
	explicit_bzero(kek, sizeof(kek));
	return e;
}

err_t seal_key(const struct seal_recipient *to, const uint8_t nonce[KEYBLOCK_NONCE_BYTES],
	       const uint8_t image_key[IMAGE_KEY_BYTES], uint8_t block[KEYBLOCK_BYTES])
{
	uint8_t ephemeral[X25519_BYTES];
	struct keyblock k;
	err_t e;

	TRY(random_bytes(ephemeral, sizeof(ephemeral)));
	e = seal_with(to, nonce, image_key, ephemeral, &k);
	explicit_bzero(ephemeral, sizeof(ephemeral));
	TRY(e);
	keyblock_encode(&k, block);
	return NULL;
}

/* Behind an image that counts there must be one: what is no sealed key is damage. */
static err_t decode(const uint8_t block[KEYBLOCK_BYTES], struct keyblock *k)
{
	err_t e = keyblock_decode(block, k);

	if (e && err_kind(e) == ERR_FORMAT) {
		err_free(e);
		return err_new(ERR_CORRUPT, "the image's sealed key is gone");
	}
	return e;
}

err_t seal_open(const struct secret *s, const uint8_t nonce[KEYBLOCK_NONCE_BYTES],
		const uint8_t block[KEYBLOCK_BYTES], bool authenticated,
		uint8_t image_key[IMAGE_KEY_BYTES])
{
	uint8_t public_key[SECRET_KEY_BYTES], kek[CIPHER_KEY_BYTES];
	struct keyblock k;
	struct kek_input in = {s->private_key,
			       k.ephemeral,
			       k.ephemeral,
			       public_key,
			       authenticated ? s->auth_key : NULL,
			       nonce};
	err_t e;

	TRY(decode(block, &k));
	TRY(secret_public(s, public_key));
	if (memcmp(k.nonce, nonce, sizeof(k.nonce)))
		return err_new(ERR_AUTH, "the sealed key is another image's");
	if (!seal_is_for(block, public_key))
		return err_new(ERR_AUTH, "the image's key is sealed for somebody else");
	e = derive_kek(&in, kek);
	if (!e)
		e = err_context(unwrap(kek, &k, image_key), "the image's sealed key");
	explicit_bzero(kek, sizeof(kek));
	return e;
}

bool seal_is_for(const uint8_t block[KEYBLOCK_BYTES], const uint8_t public_key[SECRET_KEY_BYTES])
{
	uint8_t id[DIGEST_BYTES];
	struct keyblock k;
	err_t e = keyblock_decode(block, &k);

	if (!e)
		e = digest_sha256(public_key, SECRET_KEY_BYTES, id);
	if (e) {
		err_free(e);
		return false;
	}
	return !memcmp(id, k.recipient, sizeof(id));
}
