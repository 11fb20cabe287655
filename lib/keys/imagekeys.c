/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/imagekeys.h"

#include "keys/digest.h"

#include <string.h>

static err_t derive(const uint8_t *image_key, const uint8_t *nonce, const char *label, uint8_t *out)
{
	return digest_hkdf((struct digest_bytes){image_key, IMAGE_KEY_BYTES},
			   (struct digest_bytes){nonce, KEYBLOCK_NONCE_BYTES},
			   (struct digest_bytes){label, strlen(label)}, out);
}

/* Labels: docs/image-format.md, "Keys of an image". */
err_t imagekeys_derive(const uint8_t image_key[IMAGE_KEY_BYTES],
		       const uint8_t nonce[KEYBLOCK_NONCE_BYTES], struct image_keys *out)
{
	TRY(derive(image_key, nonce, "dormouse data 1", out->data));
	return derive(image_key, nonce, "dormouse superblock 1", out->tag);
}
