/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The extent map of a located target: which parts of a bare disk its address space is
 * made of. It lies on that disk itself, in a chain of blocks. The first is the page at
 * EXTENTMAP_OFFSET of the address space, the others are pages taken off the end of it.
 * docs/image-format.md, "Extent map".
 */
#ifndef FORMATS_EXTENTMAP_H
#define FORMATS_EXTENTMAP_H

#include "base/err.h"
#include "base/extent.h"
#include "formats/locator.h"
#include "formats/slot.h"

#include <stdbool.h>
#include <stdint.h>

#define EXTENTMAP_BYTES	     4096u  /* of a block */
#define EXTENTMAP_OFFSET     12288u /* of the first one in the address space */
#define EXTENTMAP_ENTRIES    220u   /* of a block, at most */
#define EXTENTMAP_BLOCKS_MAX ((EXTENTS_MAX + EXTENTMAP_ENTRIES - 1) / EXTENTMAP_ENTRIES)

/* All places are bytes of the disk. */
struct extentmap {
	uint8_t nonce[NONCE_BYTES];   /* of the image that it was written for */
	uint64_t locator;	      /* place of the locator's sector; 0: there is none */
	uint8_t saved[LOCATOR_BYTES]; /* what that sector holds without an image */
	uint32_t blocks;
	uint32_t added;			       /* so many of them were decoded */
	uint64_t places[EXTENTMAP_BLOCKS_MAX]; /* of the blocks; reading: of the next one too */
	uint32_t extent_count;
	struct extent *extents; /* in the order of the address space; owned */
};

/*
 * Room for the map: takes its further blocks off the end of the extents, and sets blocks,
 * places, extents, and all else zero. Of more than EXTENTS_MAX extents the first are taken.
 * ERR_NOSPACE: nothing is left for an image; ERR_NOMEM. *m is unchanged on error.
 */
err_t extentmap_plan(struct extentmap *m, const struct extent *extents, uint32_t count) ERR_CHECK;

/* Block so-and-so of it, which belongs at places[number]. */
void extentmap_encode(const struct extentmap *m, uint32_t number, uint8_t out[EXTENTMAP_BYTES]);

/* To be read: the first block is at this place. */
void extentmap_init(struct extentmap *m, uint64_t place);
void extentmap_deinit(struct extentmap *m);

/* Are all blocks there? Otherwise the next one is at places[added]. */
bool extentmap_complete(const struct extentmap *m);

/*
 * The next block. ERR_FORMAT: it is none, and the first; ERR_CORRUPT: damaged, or of another
 * map, or not the next one; ERR_UNSUPPORTED: of a newer version. *m is unchanged on error.
 */
err_t extentmap_add(struct extentmap *m, const uint8_t block[EXTENTMAP_BYTES]) ERR_CHECK;

/* Of a complete map: does all of it lie on a disk of that size, apart from each other, and
 * is its first block where the address space has it? ERR_CORRUPT. */
err_t extentmap_check(const struct extentmap *m, uint64_t disk_bytes) ERR_CHECK;

#endif
