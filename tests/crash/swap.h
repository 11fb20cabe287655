/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A swap area on a simulated disk, and another boot that turns it on. */
#ifndef CRASH_SWAP_H
#define CRASH_SWAP_H

#include "disk.h"
#include "formats/swapheader.h"

/* An empty disk; with the header of a swap area on it. */
const uint8_t *swap_blank(bool swap);

enum swapheader swap_kind(const struct disk *d);

/*
 * Is page 0, but for the signature, as mkswap has made it? Also when it is no swap area.
 * The last sector may be a locator instead, also one whose signature somebody put back.
 */
bool swap_kept(const struct disk *d);

/*
 * As util-linux's swapon and the kernel after it: the signature rewritten and
 * flushed, then pages of that boot, by the number: on one slot, the other, both, or
 * none, on the data, and where the map of a located target is.
 */
void swap_turn_on(struct disk *d, unsigned int number);

#endif
