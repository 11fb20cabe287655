/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An image of one index segment, taken apart: what is in the parts, without the
 * padding between them, so that most bytes of an input matter. Written down by
 * docs/image-format.md, apart from the code that writes images.
 */
#ifndef SMALLIMAGE_H
#define SMALLIMAGE_H

#include <stdint.h>

enum part { PART_SLOT, PART_HEADER, PART_DIRECTORY, PART_SEGMENT, PART_DATA, PARTS };

/* Where each part is put, and the room it has there. */
static const struct {
	uint32_t offset, room;
} smallimage_place[PARTS] = {
	[PART_SLOT] = {4096, 512}, /* what follows, up to the checksum, is zero */
	[PART_HEADER] = {16384, 8192},
	[PART_DIRECTORY] = {24576, 4096},
	[PART_SEGMENT] = {28672, 8192},
	[PART_DATA] = {36864, 65536}, /* chunks, and a dump's notes */
};

#define SMALLIMAGE_BYTES  (36864u + 65536u)
#define SMALLIMAGE_SLOT_B 8192u

/* The input: flags, le16 length of each part, the parts. Without a flag, what
 * it names is made right before the image is read. */
#define SMALLIMAGE_KEEP_CHECKSUMS 1
#define SMALLIMAGE_KEEP_PLACES	  2 /* of header, directory and segment, and their lengths */
#define SMALLIMAGE_KEEP_COUNTS	  4
#define SMALLIMAGE_IN_B		  8  /* the superblock lies in slot B */
#define SMALLIMAGE_SALVAGE	  16 /* read what is left of it */
#define SMALLIMAGE_VERIFY	  32 /* only verify it; otherwise, it is restored */

#define SMALLIMAGE_HEAD (1u + 2 * PARTS)

#endif
