/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The firmware's memory map, as this kernel was given it. */
#ifndef MEMORY_MEMMAP_H
#define MEMORY_MEMMAP_H

#include "base/err.h"
#include "base/range.h"

/* /sys/firmware/memmap, sorted. dir: that path, or another in tests. Unknown
 * types become RANGE_RESERVED. */
err_t memmap_read(const char *dir, struct range_list *out) ERR_CHECK;

#define MEMMAP_DIR "/sys/firmware/memmap"

/*
 * Does an image made under then fit this machine now? Compared region by
 * region, both lists sorted. ERR_REFUSED with the regions that one of them has
 * alone (the first three, and how many more), after a number that says which
 * map this is.
 */
err_t memmap_same(const struct range_list *then, const struct range_list *now) ERR_CHECK;

/*
 * Had the map moved before? text: an error of memmap_same, with context perhaps;
 * before: such a text of an earlier boot, cut off perhaps, or another reason. One
 * line for people, or "" when text is none of memmap_same.
 */
const char *memmap_again(const char *text, const char *before);

#endif
