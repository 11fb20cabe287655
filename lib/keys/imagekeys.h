/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an image's key is used for: one key for each use, derived of it. */
#ifndef KEYS_IMAGEKEYS_H
#define KEYS_IMAGEKEYS_H

#include "base/err.h"
#include "keys/seal.h"

#include <stdint.h>

struct image_keys {
	uint8_t data[IMAGE_KEY_BYTES]; /* for the cipher: chunks, index, notes */
	uint8_t tag[IMAGE_KEY_BYTES];  /* of the superblock */
};

/* nonce: of the image. */
err_t imagekeys_derive(const uint8_t image_key[IMAGE_KEY_BYTES],
		       const uint8_t nonce[KEYBLOCK_NONCE_BYTES], struct image_keys *out) ERR_CHECK;

#endif
