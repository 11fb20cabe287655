/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The index of an image, read front to back with bounded memory: the directory
 * and one segment. Everything is checked that can be checked without the data.
 */
#ifndef IMAGE_INDEXSCAN_H
#define IMAGE_INDEXSCAN_H

#include "base/err.h"
#include "formats/hostinfo.h"
#include "formats/index.h"
#include "formats/slot.h"
#include "image/room.h"
#include "image/sealing.h"
#include "target/target.h"

#include <stdbool.h>
#include <stdint.h>

struct indexscan {
	const struct target *target;
	const struct slot *slot;
	bool sealed;
	struct sealer sealer;
	struct room room;
	uint8_t *directory;
	uint32_t segments, next; /* how many there are, the next to read */
	uint8_t *buf;		 /* the segment at hand */
	struct index_cursor cursor;
	uint64_t data_pages, zero_pages, fill_pages, stored_bytes; /* so far */

	/* NULL, or what damage is told (borrowed) instead of ending the scan:
	 * what is damaged is left out, and the counts are not compared. Set
	 * after init. */
	void (*damaged)(void *arg, err_t e);
	void *damaged_arg;
	bool any_damaged;
};

/*
 * Read the directory. All is borrowed until deinit, which is to be called after an error
 * as well. keys: of a sealed image, NULL of others. ERR_AUTH: the superblock or directory
 * is not authentic, or there are no keys and should be, or the other way.
 */
err_t indexscan_init(struct indexscan *s, const struct target *target, const struct slot *slot,
		     const struct image_keys *keys, const struct hostinfo *info) ERR_CHECK;
void indexscan_deinit(struct indexscan *s);

/*
 * The next chunk. *more = false at the end, when the counts have been
 * compared with the slot's. ERR_CORRUPT: checksum, order, a place outside of
 * the image, a page outside of RAM or in a window; ERR_UNSUPPORTED: the codec;
 * ERR_AUTH: a segment of a sealed image that was not made with its key.
 */
err_t indexscan_next(struct indexscan *s, struct chunk *chunk, bool *more) ERR_CHECK;

/* Begin again. */
void indexscan_rewind(struct indexscan *s);

#endif
