/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the host's memory inside the windows went: the jump has exchanged it, page
 * by page, with pages elsewhere. The list of these exchanges is the host's
 * kimage; it is found from the jump-back entry, and checked.
 */
#ifndef MEMORY_EXCHANGED_H
#define MEMORY_EXCHANGED_H

#include "base/err.h"
#include "base/range.h"
#include "memory/physical.h"

#include <stdbool.h>
#include <stdint.h>

struct exchanged {
	struct range_list windows;
	bool known;	      /* the list was found and is right */
	uint32_t *source_pfn; /* for each page of the windows, in order: where its content is */
};

err_t exchanged_init(struct exchanged *x, const struct range_list *windows) ERR_CHECK;
void exchanged_deinit(struct exchanged *x);

/*
 * Look for the list. raw: memory as it is now, windows and all. entry: the
 * jump-back entry, on the host's control page. memory: the firmware's map. On
 * ERR_FORMAT there is no list that can be trusted; raw's errors are passed on.
 */
err_t exchanged_find(struct exchanged *x, const struct physical *raw, uint64_t entry,
		     const struct range_list *memory) ERR_CHECK;

/* Where a byte of the host's is now. ERR_FORMAT: in a window, without a list. */
err_t exchanged_where(const struct exchanged *x, uint64_t physical, uint64_t *out) ERR_CHECK;

#endif
