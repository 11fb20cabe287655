/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Views of physical memory, block by block, from several threads. Mapping and
 * unmapping cost far more than looking (an unmapping interrupts every CPU), so
 * memory is mapped in regions of 32 MiB, which stay while blocks of them are in
 * use and some time longer.
 */
#ifndef MEMORY_REGIONS_H
#define MEMORY_REGIONS_H

#include "base/err.h"
#include "base/range.h"
#include "memory/devmem.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* At most so many threads may have a view at the same time. */
#define REGIONS_USERS_MAX 16

struct region {
	uint64_t start; /* physical */
	size_t bytes;
	uint8_t *at; /* NULL: not mapped */
	unsigned int users;
	uint64_t used; /* when, for choosing the oldest */
};

struct regions {
	struct devmem dev;
	struct range_list ram; /* pieces of RAM without the windows */
	pthread_mutex_t lock;  /* of all below */
	uint64_t clock;
	struct region slot[REGIONS_USERS_MAX + 2];
};

/*
 * memory: the firmware's map; only RAM of it is ever mapped in regions. windows:
 * the writer's own RAM, sorted; never mapped together with the host's, since the
 * kernel refuses to map RAM and what it does not know as RAM in one piece
 * (arch/x86/mm/pat/memtype.c, reserve_pfn_range). ERR_REFUSED: too many pieces.
 */
err_t regions_init(struct regions *r, const struct range_list *memory,
		   const struct range_list *windows, bool writable) ERR_CHECK;
void regions_deinit(struct regions *r);

/* The memory at [physical, physical + n), one block, until regions_put. */
err_t regions_get(struct regions *r, uint64_t physical, size_t n, uint8_t **out) ERR_CHECK;
void regions_put(struct regions *r, uint8_t *p, size_t n);

#endif
