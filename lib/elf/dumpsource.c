/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/util.h"
#include "elf/content.h"
#include "elf/dump.h"

#include <stdlib.h>

#define BLOCK_BYTES ((size_t)MEMORY_BLOCK_PAGES * PAGE_BYTES)
/* Reading over so many pages costs less than another system call. */
#define GAP_PAGES 4

struct elfdump_source {
	struct elfdump *dump;
	struct blocks blocks;
	unsigned int threads;
	uint8_t *buffers; /* BLOCK_BYTES for each thread */
};

err_t elfdump_source_create(struct elfdump *d, const struct freepages *free_pages,
			    unsigned int threads, struct elfdump_source **out)
{
	static const struct range_list no_windows;
	struct elfdump_source *s = calloc(1, sizeof(*s));

	if (!s)
		return err_new(ERR_NOMEM, "reading %s", d->name);
	s->dump = d;
	s->threads = threads;
	blocks_init(&s->blocks, &d->memory, &no_windows, free_pages);
	s->buffers = aligned_alloc(PAGE_BYTES, threads * BLOCK_BYTES);
	if (!s->buffers) {
		free(s);
		return err_new(ERR_NOMEM, "buffers to read %s", d->name);
	}
	*out = s;
	return NULL;
}

void elfdump_source_destroy(struct elfdump_source *s)
{
	if (!s)
		return;
	free(s->buffers);
	free(s);
}

static uint64_t first_pfn(void *self, uint64_t block)
{
	return blocks_first_pfn(&((struct elfdump_source *)self)->blocks, block);
}

static void classify(void *self, uint64_t block, uint8_t *classes)
{
	struct elfdump_source *s = self;
	uint64_t start = first_pfn(self, block) << PAGE_BITS;

	blocks_classify(&s->blocks, block, classes);
	for (unsigned int i = 0; i < MEMORY_BLOCK_PAGES; i++, start += PAGE_BYTES)
		if (classes[i] != PAGE_SKIP && !content_any(s->dump, start, start + PAGE_BYTES))
			classes[i] = PAGE_SKIP;
}

/* The end of a run of pages to save that starts at i, small gaps included. */
static unsigned int run_end(const uint8_t *classes, unsigned int i)
{
	unsigned int end = i;

	for (; i < MEMORY_BLOCK_PAGES && i < end + GAP_PAGES + 1; i++)
		if (classes[i] == PAGE_SAVE)
			end = i + 1;
	return end;
}

static err_t map(void *self, unsigned int thread, uint64_t block, const uint8_t *classes,
		 uint8_t **pages)
{
	struct elfdump_source *s = self;
	uint64_t start = first_pfn(self, block) << PAGE_BITS;
	uint8_t *buf = s->buffers + thread * BLOCK_BYTES;

	for (unsigned int i = 0, end; i < MEMORY_BLOCK_PAGES; i = end) {
		end = i + 1;
		if (classes[i] != PAGE_SAVE)
			continue;
		end = run_end(classes, i);
		TRY(content_read(s->dump, start + (uint64_t)i * PAGE_BYTES, buf + i * PAGE_BYTES,
				 (end - i) * (size_t)PAGE_BYTES));
	}
	*pages = buf;
	return NULL;
}

static void unmap(void *self, unsigned int thread, uint8_t *pages)
{
	(void)self;
	(void)thread;
	(void)pages;
}

struct memory_source elfdump_source_interface(struct elfdump_source *s)
{
	return (struct memory_source){
		.self = s,
		.blocks = s->blocks.count,
		.first_pfn = first_pfn,
		.classify = classify,
		.map = map,
		.unmap = unmap,
	};
}
