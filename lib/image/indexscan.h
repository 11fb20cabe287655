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
#include "target/target.h"

#include <stdbool.h>
#include <stdint.h>

struct indexscan {
	const struct target *target;
	const struct slot *slot;
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

/* Bytes of a region, checksum verified, into a new buffer; the caller frees it.
 * The region is ERR_CORRUPT unless it lies within the image and has at most max bytes. */
err_t indexscan_read_region(const struct target *t, const struct slot *slot,
			    const struct slot_region *region, size_t max, const char *what,
			    uint8_t **out) ERR_CHECK;

/* Read the directory. All is borrowed until deinit, which is to be called after
 * an error as well. */
err_t indexscan_init(struct indexscan *s, const struct target *target, const struct slot *slot,
		     const struct hostinfo *info) ERR_CHECK;
void indexscan_deinit(struct indexscan *s);

/*
 * The next chunk. *more = false at the end, when the counts have been
 * compared with the slot's. ERR_CORRUPT: checksum, order, a place outside of
 * the image, a page outside of RAM or in a window; ERR_UNSUPPORTED: the codec.
 */
err_t indexscan_next(struct indexscan *s, struct chunk *chunk, bool *more) ERR_CHECK;

/* Begin again. */
void indexscan_rewind(struct indexscan *s);

#endif
