/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A memory map as blocks of MEMORY_BLOCK_PAGES pages, aligned to their size, and
 * which of a block's pages are to be saved: RAM, less windows, less free pages.
 */
#ifndef MEMORY_BLOCKS_H
#define MEMORY_BLOCKS_H

#include "base/range.h"
#include "memory/freepages.h"
#include "memory/source.h"

#include <stdint.h>

struct blocks {
	struct range_list memory, windows;
	const struct freepages *free; /* borrowed; NULL: nothing is free */
	uint64_t count;
	size_t stretches; /* of blocks without holes between them */
	struct {
		uint64_t first_pfn, number; /* of its first block */
	} stretch[RANGE_MAX];
};

void blocks_init(struct blocks *b, const struct range_list *memory,
		 const struct range_list *windows, const struct freepages *free_pages);

/* Of block number i < count: blocks are numbered in ascending order. */
uint64_t blocks_first_pfn(const struct blocks *b, uint64_t i);

/* Whole pages of RAM outside of the windows that are not free: PAGE_SAVE. */
void blocks_classify(const struct blocks *b, uint64_t i, uint8_t classes[MEMORY_BLOCK_PAGES]);

#endif
