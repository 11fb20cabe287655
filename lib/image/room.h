/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pages that an image may name: the host's RAM without the windows. */
#ifndef IMAGE_ROOM_H
#define IMAGE_ROOM_H

#include "base/range.h"
#include "formats/hostinfo.h"

#include <stdbool.h>
#include <stdint.h>

struct room {
	size_t count;
	struct {
		uint64_t start, end; /* pfns; ascending, with gaps between them */
	} r[2 * RANGE_MAX];
};

void room_init(struct room *room, const struct hostinfo *info);

/* The first range that ends after pfn: its part from pfn on. False: there is none. */
bool room_next(const struct room *room, uint64_t pfn, uint64_t *start, uint64_t *end);

/* Do all pages from pfn on belong to it? */
bool room_holds(const struct room *room, uint64_t pfn, uint64_t pages);

#endif
