/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory/blocks.h"

#include "base/util.h"

#include <string.h>

#define BLOCK_PAGES MEMORY_BLOCK_PAGES

void blocks_init(struct blocks *b, const struct range_list *memory,
		 const struct range_list *windows, const struct freepages *free_pages)
{
	uint64_t next = 0;

	*b = (struct blocks){.memory = *memory, .windows = *windows, .free = free_pages};
	for (size_t i = 0; i < memory->count; i++) {
		const struct range *r = &memory->r[i];
		/* Two entries of the map may meet inside of one block. */
		uint64_t pfn = max_u64(align_down(r->start >> PAGE_BITS, BLOCK_PAGES), next);
		uint64_t end = align_up(r->end, PAGE_BYTES * BLOCK_PAGES) >> PAGE_BITS;

		if (r->type != RANGE_RAM || pfn >= end)
			continue;
		b->stretch[b->stretches].first_pfn = pfn;
		b->stretch[b->stretches++].number = b->count;
		b->count += (end - pfn) / BLOCK_PAGES;
		next = end;
	}
}

uint64_t blocks_first_pfn(const struct blocks *b, uint64_t i)
{
	size_t s = b->stretches - 1;

	while (b->stretch[s].number > i)
		s--;
	return b->stretch[s].first_pfn + (i - b->stretch[s].number) * BLOCK_PAGES;
}

/* Mark the pages of a block that lie wholly in a range. */
static void paint(uint8_t *classes, uint64_t pfn, const struct range *r, enum page_class class)
{
	uint64_t start = max_u64(align_up(r->start, PAGE_BYTES) >> PAGE_BITS, pfn);
	uint64_t end = min_u64(r->end >> PAGE_BITS, pfn + BLOCK_PAGES);

	for (; start < end; start++)
		classes[start - pfn] = class;
}

void blocks_classify(const struct blocks *b, uint64_t i, uint8_t classes[MEMORY_BLOCK_PAGES])
{
	uint64_t pfn = blocks_first_pfn(b, i);

	memset(classes, PAGE_SKIP, BLOCK_PAGES);
	for (size_t r = 0; r < b->memory.count; r++)
		if (b->memory.r[r].type == RANGE_RAM)
			paint(classes, pfn, &b->memory.r[r], PAGE_SAVE);
	for (size_t w = 0; w < b->windows.count; w++)
		paint(classes, pfn, &b->windows.r[w], PAGE_SKIP);
	if (!b->free)
		return;
	for (unsigned int p = 0; p < BLOCK_PAGES; p++)
		if (freepages_has(b->free, pfn + p))
			classes[p] = PAGE_SKIP;
}
