/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The host's memory as a source of an image: all RAM but the windows, free
 * pages left out.
 */
#ifndef MEMORY_HOSTSOURCE_H
#define MEMORY_HOSTSOURCE_H

#include "base/err.h"
#include "base/range.h"
#include "memory/blocks.h"
#include "memory/freepages.h"
#include "memory/regions.h"
#include "memory/source.h"

struct hostsource {
	struct regions regions;
	struct blocks blocks;
};

/* free_pages is borrowed; NULL: nothing is free. */
err_t hostsource_init(struct hostsource *h, const struct range_list *memory,
		      const struct range_list *windows, const struct freepages *free_pages)
	ERR_CHECK;
void hostsource_deinit(struct hostsource *h);

/* The interface of it; valid while h is. */
struct memory_source hostsource_source(struct hostsource *h);

#endif
