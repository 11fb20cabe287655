/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory/hostsource.h"

#include "base/util.h"

#define BLOCK_BYTES ((size_t)MEMORY_BLOCK_PAGES * PAGE_BYTES)

err_t hostsource_init(struct hostsource *h, const struct range_list *memory,
		      const struct range_list *windows, const struct freepages *free_pages)
{
	blocks_init(&h->blocks, memory, windows, free_pages);
	return regions_init(&h->regions, memory, windows, false);
}

void hostsource_deinit(struct hostsource *h)
{
	regions_deinit(&h->regions);
}

static uint64_t first_pfn(void *self, uint64_t block)
{
	return blocks_first_pfn(&((struct hostsource *)self)->blocks, block);
}

static void classify(void *self, uint64_t block, uint8_t *classes)
{
	struct hostsource *h = self;

	blocks_classify(&h->blocks, block, classes);
	/* Page 0 belongs to the firmware's real mode; Linux does not use it
	 * (arch/x86/kernel/setup.c, early_reserve_memory). */
	if (first_pfn(self, block) == 0)
		classes[0] = PAGE_SKIP;
}

static err_t map(void *self, unsigned int thread, uint64_t block, const uint8_t *classes,
		 uint8_t **pages)
{
	struct hostsource *h = self;

	(void)thread;
	(void)classes;
	return regions_get(&h->regions, first_pfn(self, block) << PAGE_BITS, BLOCK_BYTES, pages);
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
		.blocks = h->blocks.count,
		.first_pfn = first_pfn,
		.classify = classify,
		.map = map,
		.unmap = unmap,
	};
}
