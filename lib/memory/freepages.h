/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which of the host's pages are free, by its own struct pages, as kdump finds
 * out. Everything comes from vmcoreinfo; when something is missing, nothing is
 * called free.
 */
#ifndef MEMORY_FREEPAGES_H
#define MEMORY_FREEPAGES_H

#include "base/err.h"
#include "base/range.h"
#include "memory/exchanged.h"
#include "memory/physical.h"
#include "memory/vmcoreinfo.h"

#include <stdbool.h>
#include <stdint.h>

struct freepages {
	uint64_t pfns;	/* the bitmap covers 0 .. pfns-1 */
	uint8_t *bits;	/* set: need not be saved */
	uint64_t count; /* set bits: for messages */
};

/*
 * Look at the struct page of every page of RAM. ERR_FORMAT or ERR_CORRUPT when
 * the host cannot be understood: *out is then valid, and calls nothing free.
 */
err_t freepages_find(struct freepages *out, const struct physical *mem, const struct vmcoreinfo *v,
		     const struct range_list *memory) ERR_CHECK;
void freepages_deinit(struct freepages *f);

/*
 * Pages of the windows were exchanged with others. Where the host's own page was
 * free, the other one holds nothing of worth: call that free too. Needs
 * the list.
 */
void freepages_add_exchanged(struct freepages *f, const struct exchanged *x);

static inline bool freepages_has(const struct freepages *f, uint64_t pfn)
{
	return f->bits && pfn < f->pfns && f->bits[pfn / 8] >> pfn % 8 & 1;
}

#endif
