/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IMAGE_ALLOC_H
#define IMAGE_ALLOC_H

#include "base/util.h"

#include <stdlib.h>
#include <string.h>

/*
 * Memory that is there now: page aligned, zeroed, and touched, so that none is
 * missing when the first write has been done. NULL without memory. free() it.
 */
static inline void *alloc_now(size_t n)
{
	size_t whole = align_up(n ? n : 1, PAGE_BYTES);
	void *p = aligned_alloc(PAGE_BYTES, whole);

	return p ? memset(p, 0, whole) : NULL;
}

#endif
