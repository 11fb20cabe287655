/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key of an image, sealed so that only who knows the secret can open it, and (when
 * authenticated) only who knows its authentication key could have made it.
 * docs/image-format.md, "Sealed key".
 */
#ifndef KEYS_SEAL_H
#define KEYS_SEAL_H

#include "base/err.h"
#include "formats/keyblock.h"
#include "keys/secret.h"

#include <stdbool.h>
#include <stdint.h>

#define IMAGE_KEY_BYTES 32u

/* Who shall be able to open it, and who says so. */
struct seal_recipient {
	uint8_t public_key[SECRET_KEY_BYTES];
	bool authenticated;
	uint8_t auth_key[SECRET_KEY_BYTES]; /* where authenticated */
};

/* nonce: of the image. The ephemeral key is made here. */
err_t seal_key(const struct seal_recipient *to, const uint8_t nonce[KEYBLOCK_NONCE_BYTES],
	       const uint8_t image_key[IMAGE_KEY_BYTES], uint8_t block[KEYBLOCK_BYTES]) ERR_CHECK;

/*
 * ERR_AUTH: sealed for another secret, by somebody without the authentication key, for
 * another image, or with another idea of authenticated; ERR_CORRUPT, ERR_UNSUPPORTED:
 * not a sealed key. On an error image_key is unchanged.
 */
err_t seal_open(const struct secret *s, const uint8_t nonce[KEYBLOCK_NONCE_BYTES],
		const uint8_t block[KEYBLOCK_BYTES], bool authenticated,
		uint8_t image_key[IMAGE_KEY_BYTES]) ERR_CHECK;

/* Is it sealed to this public key, for all that it says of itself? */
bool seal_is_for(const uint8_t block[KEYBLOCK_BYTES], const uint8_t public_key[SECRET_KEY_BYTES]);

#endif
