/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Extents of a device, as many as there are. */
#ifndef HOST_EXTENTLIST_H
#define HOST_EXTENTLIST_H

#include "base/err.h"
#include "base/extent.h"

#include <stdint.h>

/* All zero: empty. */
struct extentlist {
	struct extent *list;
	uint32_t count, room;
};

void extentlist_deinit(struct extentlist *l);

/* One more at the end; joined to the last one where that ends at start. */
err_t extentlist_add(struct extentlist *l, uint64_t start, uint64_t length) ERR_CHECK;

/* By their place on the device; those that touch are joined. */
void extentlist_sort(struct extentlist *l);

/* The longest max of them, in the order they have. The first stays in any case. */
err_t extentlist_keep_longest(struct extentlist *l, uint32_t max) ERR_CHECK;

uint64_t extentlist_bytes(const struct extentlist *l);

#define CLEANUP_EXTENTLIST __attribute__((cleanup(extentlist_deinit)))

#endif
