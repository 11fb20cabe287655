/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a power cut may leave of a disk: all that was flushed, and of each write
 * since the last flush any of its 512-byte sectors, whatever came earlier or
 * later. From all these states come the telling ones, and random ones.
 */
#ifndef CRASH_CUT_H
#define CRASH_CUT_H

#include "disk.h"

struct cut {
	const struct disk *disk;
	size_t at;		     /* operations before this one were issued ... */
	bool in_flight;		     /* ... and this one was on its way */
	size_t first;		     /* first one that was not flushed */
	uint8_t flushed[DISK_BYTES]; /* the medium without any of these */
};

/* c is at the beginning of the disk's log. */
void cut_init(struct cut *c, const struct disk *disk);

/* Go on to operation at, which is not before where it is. */
void cut_move(struct cut *c, size_t at, bool in_flight);

/* How many states to try at this place, random ones included. */
unsigned int cut_states(const struct cut *c, unsigned int randoms);

/* One of them: what the medium holds; and in a few words what landed. seed: of
 * the random ones. */
void cut_make(const struct cut *c, unsigned int state, uint64_t seed, uint8_t out[DISK_BYTES],
	      char *words, size_t room);

#endif
