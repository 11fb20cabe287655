/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a chunk's stored bytes to pages in their places. */
#ifndef IMAGE_PLACE_H
#define IMAGE_PLACE_H

#include "base/err.h"
#include "formats/hostinfo.h"
#include "formats/index.h"
#include "image/reader.h"
#include "image/room.h"
#include "image/sealing.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_SCRATCH 8u /* buffers of a block's size, whatever the number of threads */

struct placer {
	struct memory_sink *sink; /* NULL: check only */
	const struct room *room;
	enum free_fill free_fill;
	pthread_mutex_t lock; /* of the scratch buffers not in use */
	pthread_cond_t returned;
	uint8_t *workspace; /* of the codecs; one for each thread */
	size_t workspace_bytes;
	unsigned int threads;
	struct sealer *sealers; /* one for each thread; NULL: the image is not sealed */
	unsigned int scratch_count;
	uint8_t *scratch[PLACE_SCRATCH];
};

/* The stored bytes of a chunk, as they were read: in one or two pieces. */
struct place_piece {
	const uint8_t *p;
	size_t n;
};

err_t place_init(struct placer *p, struct memory_sink *sink, const struct room *room,
		 enum free_fill free_fill, unsigned int threads) ERR_CHECK;
void place_deinit(struct placer *p); /* also after an error of init */

/* Chunks are those of this sealed image. */
err_t place_unseal(struct placer *p, const struct slot *slot, const struct image_keys *keys)
	ERR_CHECK;

/*
 * Verify the checksum, decrypt, decompress, and put all pages of the block in place,
 * those that it leaves out included. A chunk that is damaged places nothing,
 * unless its checksum is right, and its tag in a sealed image: nothing of what was not
 * made with the image's key is ever placed. ERR_CORRUPT, ERR_AUTH, or the sink's errors.
 */
err_t place_chunk(struct placer *p, unsigned int thread, const struct chunk *c,
		  const struct place_piece pieces[2]) ERR_CHECK;

/* Does this placer have something to do in blocks that the image does not name? */
bool place_fills(const struct placer *p);

#endif
