/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory/hostsource.h"

#include "base/util.h"

#include <string.h>

#define BLOCK_PAGES MEMORY_BLOCK_PAGES
#define BLOCK_BYTES ((size_t)BLOCK_PAGES * PAGE_BYTES)

/*
 * Blocks of RAM in ascending order, each once (two entries of the map may meet
 * inside of one). Call with out = NULL to count.
 */
static uint64_t list_blocks(const struct range_list *memory, uint64_t *out)
{
	uint64_t n = 0, next = 0;

	for (size_t i = 0; i < memory->count; i++) {
		const struct range *r = &memory->r[i];
		uint64_t pfn = max_u64(align_down(r->start >> PAGE_BITS, BLOCK_PAGES), next);

		if (r->type != RANGE_RAM)
			continue;
		for (; pfn << PAGE_BITS < r->end; pfn += BLOCK_PAGES, n++) {
			if (out)
				out[n] = pfn;
			next = pfn + BLOCK_PAGES;
		}
	}
	return n;
}

err_t hostsource_init(struct hostsource *h, const struct range_list *memory,
		      const struct range_list *windows, const struct freepages *free_pages)
{
	err_t e;

	*h = (struct hostsource){ .memory = *memory, .windows = *windows, .free = free_pages };
	h->blocks = list_blocks(memory, NULL);
	h->block_start = calloc(h->blocks ? h->blocks : 1, sizeof(h->block_start[0]));
	if (!h->block_start)
		return err_new(ERR_NOMEM, "listing the host's memory");
	list_blocks(memory, h->block_start);
	e = regions_init(&h->regions, memory, windows, false);
	if (e)
		free(h->block_start);
	return e;
}

void hostsource_deinit(struct hostsource *h)
{
	free(h->block_start);
	regions_deinit(&h->regions);
}

static uint64_t first_pfn(void *self, uint64_t block)
{
	return ((struct hostsource *)self)->block_start[block];
}

/* Mark the pages of a block that lie wholly in a range. */
static void paint(uint8_t *classes, uint64_t pfn, const struct range *r, enum page_class class)
{
	uint64_t start = max_u64(align_up(r->start, PAGE_BYTES) >> PAGE_BITS, pfn);
	uint64_t end = min_u64(r->end >> PAGE_BITS, pfn + BLOCK_PAGES);

	for (; start < end; start++)
		classes[start - pfn] = class;
}

static void classify(void *self, uint64_t block, uint8_t *classes)
{
	struct hostsource *h = self;
	uint64_t pfn = h->block_start[block];

	memset(classes, PAGE_SKIP, BLOCK_PAGES);
	for (size_t i = 0; i < h->memory.count; i++)
		if (h->memory.r[i].type == RANGE_RAM)
			paint(classes, pfn, &h->memory.r[i], PAGE_SAVE);
	for (size_t i = 0; i < h->windows.count; i++)
		paint(classes, pfn, &h->windows.r[i], PAGE_SKIP);
	/* Page 0 belongs to the firmware's real mode; Linux does not use it
	 * (arch/x86/kernel/setup.c, early_reserve_memory). */
	if (pfn == 0)
		classes[0] = PAGE_SKIP;
	if (!h->free)
		return;
	for (unsigned int i = 0; i < BLOCK_PAGES; i++)
		if (freepages_has(h->free, pfn + i))
			classes[i] = PAGE_SKIP;
}

static err_t map(void *self, unsigned int thread, uint64_t block, uint8_t **pages)
{
	struct hostsource *h = self;

	(void)thread;
	return regions_get(&h->regions, h->block_start[block] << PAGE_BITS, BLOCK_BYTES, pages);
}

static void unmap(void *self, unsigned int thread, uint8_t *pages)
{
	struct hostsource *h = self;

	(void)thread;
	regions_put(&h->regions, pages, BLOCK_BYTES);
}

struct memory_source hostsource_source(struct hostsource *h)
{
	return (struct memory_source){
		.self = h,
		.blocks = h->blocks,
		.first_pfn = first_pfn,
		.classify = classify,
		.map = map,
		.unmap = unmap,
	};
}
