/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The index while an image is written: one open segment, which goes into the
 * stream when it is full, and the places of those that went. Not for several
 * threads at once.
 */
#ifndef IMAGE_INDEXWRITER_H
#define IMAGE_INDEXWRITER_H

#include "base/err.h"
#include "formats/index.h"
#include "formats/slot.h"
#include "image/sealing.h"
#include "image/staging.h"

#include <stdint.h>

struct indexwriter;

/* With room for the directory of the worst index that so many blocks can have. seal:
 * of a sealed image, else NULL. */
err_t indexwriter_create(struct staging *staging, const uint8_t nonce[NONCE_BYTES], uint64_t blocks,
			 const struct image_seal *seal, struct indexwriter **out) ERR_CHECK;
void indexwriter_destroy(struct indexwriter *w); /* w may be NULL */

/* The next chunk, in ascending order. Errors are staging_append's. */
err_t indexwriter_add(struct indexwriter *w, const struct chunk *chunk) ERR_CHECK;

/* The last segment, and the directory, which is *directory; of a sealed image also its
 * digest. */
err_t indexwriter_finish(struct indexwriter *w, struct slot_region *directory,
			 uint8_t sha256[SLOT_DIGEST_BYTES]) ERR_CHECK;

#endif
