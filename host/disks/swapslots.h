/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pages of a swap area in use that are ours for a while, by /dev/snapshot: as the
 * kernel's own hibernation takes them. They are given back when it is closed.
 */
#ifndef HOST_SWAPSLOTS_H
#define HOST_SWAPSLOTS_H

#include "base/err.h"
#include "base/util.h"
#include "host/disks/extentlist.h"

#include <stdint.h>
#include <sys/types.h>

/* Of swap, for what has to be written out while the writer is loaded. */
#define SWAPSLOTS_LEFT (64 * MIB)

/* How much of what is free in an area may be taken: not all, however little it is. */
static inline uint64_t swapslots_room(uint64_t available)
{
	return available - min_u64(SWAPSLOTS_LEFT, available / 8);
}

/* What an area has free, in bytes, after swapslots_choose. */
err_t swapslots_choose(int snapshot, dev_t dev, uint64_t first_page, uint64_t *available) ERR_CHECK;

/*
 * So many bytes (rounded up to pages), or what there is, into out: places on dev, in
 * ascending order, at most EXTENTS_MAX of them, the longest; what is left over stays taken.
 */
err_t swapslots_reserve(int snapshot, uint64_t bytes, struct extentlist *out) ERR_CHECK;

#endif
