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
 * region. ERR_REFUSED with the first difference: which region was where, and
 * what is there now.
 */
err_t memmap_same(const struct range_list *then, const struct range_list *now) ERR_CHECK;

#endif
