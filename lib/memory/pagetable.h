/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A host kernel's virtual addresses, through its own page tables. */
#ifndef MEMORY_PAGETABLE_H
#define MEMORY_PAGETABLE_H

#include "base/err.h"
#include "memory/physical.h"
#include "memory/vmcoreinfo.h"

#include <stdbool.h>
#include <stdint.h>

struct pagetable {
	struct physical mem;
	uint64_t top;	     /* physical address of the top table */
	unsigned int levels; /* 4 or 5 */

	/* The page walked to last, small or huge: tables are read in order. */
	uint64_t last_virtual, last_physical, last_bytes;
};

/* From init_top_pgt, phys_base and pgtable_l5_enabled. ERR_FORMAT when they are
 * not all there. */
err_t pagetable_init(struct pagetable *t, const struct physical *mem, const struct vmcoreinfo *v)
	ERR_CHECK;

/*
 * *physical of a virtual address, and how many bytes from there on lie in the
 * same page, small or huge. ERR_CORRUPT when it is not mapped.
 */
err_t pagetable_walk(struct pagetable *t, uint64_t virtual, uint64_t *physical,
		     uint64_t *contiguous) ERR_CHECK;

/* Read host memory by virtual address. */
err_t pagetable_read(struct pagetable *t, uint64_t virtual, void *buf, size_t n) ERR_CHECK;

#endif
