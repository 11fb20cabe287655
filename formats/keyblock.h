/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sealed key of an image, as it lies on disk. docs/image-format.md, "Sealed key". */
#ifndef FORMATS_KEYBLOCK_H
#define FORMATS_KEYBLOCK_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define KEYBLOCK_BYTES	     4096u
#define KEYBLOCK_NONCE_BYTES 16u

struct keyblock {
	uint8_t nonce[KEYBLOCK_NONCE_BYTES]; /* of the image */
	uint8_t ephemeral[32];		     /* X25519 public key, made for this image */
	uint8_t recipient[32];		     /* SHA-256 of the public key it is sealed to */
	uint8_t sealed[32];		     /* the image key, encrypted */
	uint8_t tag[16];
};

/* Does it begin as the one of this image? That it is sound is not asked: one that was half
 * overwritten still has the key in it. */
bool keyblock_is_left(const uint8_t in[KEYBLOCK_BYTES], const uint8_t nonce[KEYBLOCK_NONCE_BYTES]);

void keyblock_encode(const struct keyblock *k, uint8_t out[KEYBLOCK_BYTES]);

/* ERR_FORMAT: none here, and so one that was wiped; ERR_CORRUPT; ERR_UNSUPPORTED. On an
 * error *out is unchanged. */
err_t keyblock_decode(const uint8_t in[KEYBLOCK_BYTES], struct keyblock *out) ERR_CHECK;

#endif
