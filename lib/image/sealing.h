/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sealed images: what is encrypted with which nonce and bound to what, and the chain
 * from the key to every byte: the superblock's tag; in the superblock the digests of
 * header and directory; in the directory a tag for each index segment; in the index a
 * tag for each chunk. docs/image-format.md, "Sealing".
 */
#ifndef IMAGE_SEALING_H
#define IMAGE_SEALING_H

#include "base/err.h"
#include "cipher/cipher.h"
#include "formats/index.h"
#include "formats/slot.h"
#include "keys/imagekeys.h"
#include "keys/seal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a writer needs to make a sealed image. Keep it in locked memory, and destroy it
 * (keys/locked.h) when the image is written. */
struct image_seal {
	const struct cipher *cipher;
	struct image_keys keys;
	bool authenticated;
	uint8_t block[KEYBLOCK_BYTES]; /* the sealed key */
	const uint8_t *keyslots;       /* borrowed; NULL: none */
	size_t keyslots_bytes;	       /* at most SLOT_KEYSLOTS_MAX */
};

/* For a new image: a key is made of random_bytes, sealed, and forgotten but for what is
 * derived of it. keyslots are the caller's to set. */
err_t sealing_make(struct image_seal *s, const struct cipher *cipher,
		   const struct seal_recipient *to, const uint8_t nonce[NONCE_BYTES]) ERR_CHECK;

/* What is encrypted by itself. Their numbers are part of the nonce. */
enum sealing_domain {
	SEALING_CHUNK = 1,   /* number: of the block, first_pfn / CHUNK_PAGES */
	SEALING_SEGMENT = 2, /* number: of the segment */
	SEALING_NOTES = 3,   /* number: 0 */
};

/* One thread's means to encrypt or decrypt parts of one image. */
struct sealer {
	const struct cipher *cipher;
	struct cipher_key *key;
	uint8_t nonce[NONCE_BYTES]; /* of the image */
};

/* ERR_UNSUPPORTED: a cipher that is not known. */
err_t sealing_open(struct sealer *s, uint32_t cipher, const uint8_t nonce[NONCE_BYTES],
		   const struct image_keys *keys) ERR_CHECK;
void sealing_close(struct sealer *s); /* also one that is all zero */

/* A part of the image in place: its bytes become others, as many. */
err_t sealing_encrypt(struct sealer *s, enum sealing_domain domain, uint64_t number, void *p,
		      size_t n, uint8_t tag[CIPHER_TAG_BYTES]) ERR_CHECK;

/* ERR_AUTH: not what was encrypted there; all of p is zero then. */
err_t sealing_decrypt(struct sealer *s, enum sealing_domain domain, uint64_t number, void *p,
		      size_t n, const uint8_t tag[CIPHER_TAG_BYTES]) ERR_CHECK;

/* The data of a chunk, of c->stored bytes, which is bound to first_pfn, stored, codec
 * and data_pages. in and out are the same, or lie apart. */
err_t sealing_encrypt_chunk(struct sealer *s, struct chunk *c, const uint8_t *in, uint8_t *out)
	ERR_CHECK;
err_t sealing_decrypt_chunk(struct sealer *s, const struct chunk *c, const uint8_t *in,
			    uint8_t *out) ERR_CHECK;

/* All of the slot is set but its tag: set that. */
err_t sealing_tag(const struct image_keys *keys, struct slot *slot) ERR_CHECK;

/*
 * Before anything of an image is believed. keys NULL: none, and nothing is checked.
 * ERR_AUTH: the tag is not that of these keys, or there are keys and the image is not
 * sealed.
 */
err_t sealing_check_tag(const struct image_keys *keys, const struct slot *slot) ERR_CHECK;

/* ERR_AUTH: n bytes with another digest. what: "the header of the image". */
err_t sealing_check_digest(const void *p, size_t n, const uint8_t sha256[SLOT_DIGEST_BYTES],
			   const char *what) ERR_CHECK;

/* ERR_AUTH: sealed, and no keys. */
err_t sealing_need_keys(const struct image_keys *keys, const struct slot *slot) ERR_CHECK;

#endif
