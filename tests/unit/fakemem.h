/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine's memory that is none: blocks in anonymous memory, with holes
 * between them as the test wants it, and generated content. As a source to write
 * an image of, and as a sink to restore it into.
 */
#ifndef FAKEMEM_H
#define FAKEMEM_H

#include "base/util.h"
#include "formats/hostinfo.h"
#include "formats/index.h"
#include "image/reader.h"
#include "memory/source.h"

#include <string.h>
#include <sys/mman.h>

#define FAKE_BLOCKS_MAX 2048u
#define FAKE_BLOCK	((size_t)CHUNK_PAGES * PAGE_BYTES)
#define FAKE_GUARD	0x5c /* what a sink holds where nothing was placed */

struct fakemem {
	uint64_t blocks;
	uint64_t first_pfn[FAKE_BLOCKS_MAX];
	uint8_t *mem;	       /* the blocks one after the other */
	uint8_t *classes;      /* of each page */
	uint8_t *kind;	       /* of each page: enum fake_kind */
	unsigned int delay_us; /* that mapping takes */
	uint64_t slow_block;   /* only of this block; UINT64_MAX: of all */
	uint64_t fail_block;   /* mapping it fails; UINT64_MAX: none */
};

enum fake_kind { FAKE_HOLE, FAKE_RAM, FAKE_WINDOW };

enum fake_content {
	FAKE_RANDOM,
	FAKE_TEXT,
	FAKE_ZERO,
	FAKE_WORD,   /* one word for all */
	FAKE_WORDS,  /* each page its own */
	FAKE_ALMOST, /* uniform but for one byte */
	FAKE_MIXED,  /* page by page any of the others */
	FAKE_CONTENTS,
};

static inline uint64_t fake_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	return *s ^= *s << 17;
}

static inline void fake_page(uint8_t *page, enum fake_content kind, uint64_t *seed)
{
	static const char *const words[] = {"memory", "kernel ",   "of the", "page",
					    "\n",     "dormouse ", "0x0000", "sleeps"};
	uint64_t *w = (uint64_t *)page, word = fake_random(seed) | 1;

	if (kind == FAKE_MIXED)
		kind = (enum fake_content)(fake_random(seed) % FAKE_MIXED);
	for (size_t i = 0; i < PAGE_BYTES / 8; i++)
		w[i] = kind == FAKE_RANDOM  ? fake_random(seed)
		       : kind == FAKE_WORD  ? 0x1122334455667788ull
		       : kind == FAKE_WORDS ? word
					    : 0;
	for (size_t n = 0; kind == FAKE_TEXT && n + 10 < PAGE_BYTES;) {
		const char *s = words[fake_random(seed) % ARRAY_LEN(words)];

		memcpy(page + n, s, strlen(s));
		n += strlen(s);
	}
	if (kind == FAKE_ALMOST)
		page[fake_random(seed) % PAGE_BYTES] = 1;
}

static inline uint8_t *fake_map(size_t n)
{
	uint8_t *p =
		mmap(NULL, n ? n : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

/* Blocks in a row from the given pfn on, nothing saved yet; all RAM, but for a window. */
static inline void fake_init(struct fakemem *f, uint64_t blocks, uint64_t pfn)
{
	*f = (struct fakemem){.blocks = blocks, .slow_block = UINT64_MAX, .fail_block = UINT64_MAX};
	f->mem = fake_map(blocks * FAKE_BLOCK);
	f->classes = fake_map(blocks * CHUNK_PAGES);
	f->kind = fake_map(blocks * CHUNK_PAGES);
	memset(f->kind, FAKE_RAM, blocks * CHUNK_PAGES);
	if (blocks)
		memset(f->kind + 3, FAKE_WINDOW, 2);
	for (uint64_t i = 0; i < blocks; i++)
		f->first_pfn[i] = pfn + i * CHUNK_PAGES;
}

static inline void fake_unmap(uint8_t *p, size_t n)
{
	munmap(p, n ? n : 1);
}

static inline void fake_deinit(struct fakemem *f)
{
	fake_unmap(f->mem, f->blocks * FAKE_BLOCK);
	fake_unmap(f->classes, f->blocks * CHUNK_PAGES);
	fake_unmap(f->kind, f->blocks * CHUNK_PAGES);
}

static inline void fake_fill(struct fakemem *f, enum fake_content kind, uint64_t seed)
{
	seed = seed * 2654435761u + 88172645463325252ull;
	for (uint64_t i = 0; i < f->blocks * CHUNK_PAGES; i++)
		fake_page(f->mem + i * PAGE_BYTES, kind, &seed);
}

/* The place of a block by its pfn, or NULL. */
static inline uint8_t *fake_find(const struct fakemem *f, uint64_t pfn, uint64_t *block)
{
	for (uint64_t i = 0; i < f->blocks; i++)
		if (f->first_pfn[i] == pfn) {
			*block = i;
			return f->mem + i * FAKE_BLOCK;
		}
	return NULL;
}

static inline uint64_t fake_first_pfn(void *self, uint64_t block)
{
	return ((struct fakemem *)self)->first_pfn[block];
}

static inline void fake_classify(void *self, uint64_t block, uint8_t classes[128])
{
	memcpy(classes, ((struct fakemem *)self)->classes + block * CHUNK_PAGES, CHUNK_PAGES);
}

static inline err_t fake_map_source(void *self, unsigned int thread, uint64_t block,
				    const uint8_t *classes, uint8_t **pages)
{
	struct fakemem *f = self;

	(void)thread;
	(void)classes;
	if (f->delay_us && (f->slow_block == UINT64_MAX || f->slow_block == block))
		usleep(f->delay_us);
	if (block == f->fail_block)
		return err_new(ERR_IO, "block %llu cannot be mapped", (unsigned long long)block);
	*pages = f->mem + block * FAKE_BLOCK;
	return NULL;
}

static inline err_t fake_map_sink(void *self, unsigned int thread, uint64_t pfn, uint8_t **pages)
{
	struct fakemem *f = self;
	uint64_t block;

	*pages = fake_find(f, pfn, &block);
	if (!*pages)
		return err_new(ERR_INVALID, "no such block: pfn %#llx", (unsigned long long)pfn);
	return fake_map_source(self, thread, block, NULL, pages);
}

static inline void fake_unmap_source(void *self, unsigned int thread, uint8_t *pages)
{
	(void)self;
	(void)thread;
	(void)pages;
}

static inline err_t fake_unmap_sink(void *self, unsigned int thread, uint64_t pfn, uint8_t *pages,
				    const uint8_t *placed)
{
	struct fakemem *f = self;

	fake_unmap_source(self, thread, pages);
	/* What it is told must be so. */
	for (size_t i = 0; placed && f->kind && i < CHUNK_PAGES; i++) {
		const uint8_t *page = pages + i * PAGE_BYTES;

		if (placed[i] == PLACED_ZERO && (page[0] || memcmp(page, page + 1, PAGE_BYTES - 1)))
			return err_new(ERR_INVALID, "pfn %#llx is not zero",
				       (unsigned long long)pfn + i);
	}
	return NULL;
}

static inline struct memory_source fake_source(struct fakemem *f)
{
	return (struct memory_source){
		f, f->blocks, fake_first_pfn, fake_classify, fake_map_source, fake_unmap_source};
}

static inline struct memory_sink fake_sink(struct fakemem *f)
{
	return (struct memory_sink){f, fake_map_sink, fake_unmap_sink};
}

/* Append a page, to the last range if it goes on there. */
static inline void fake_add_page(struct range_list *list, uint64_t at)
{
	if (list->count && list->r[list->count - 1].end == at)
		list->r[list->count - 1].end += PAGE_BYTES;
	else if (!range_add(list, at, at + PAGE_BYTES, RANGE_RAM))
		abort();
}

/* A host that has this memory. */
static inline struct hostinfo fake_host(const struct fakemem *f, enum free_fill fill)
{
	struct hostinfo h = {.release = "6.12.1", .hostname = "fake", .cpus = 1, .free_fill = fill};

	for (uint64_t i = 0; i < f->blocks * CHUNK_PAGES; i++) {
		uint64_t at = (f->first_pfn[i / CHUNK_PAGES] + i % CHUNK_PAGES) * PAGE_BYTES;

		if (f->kind[i] != FAKE_HOLE)
			fake_add_page(&h.memory, at);
		if (f->kind[i] == FAKE_WINDOW)
			fake_add_page(&h.windows, at);
		if (f->kind[i] == FAKE_RAM)
			h.jump_entry = at;
	}
	if (!h.memory.count) { /* an empty source: all but the entry is window */
		fake_add_page(&h.memory, 0);
		fake_add_page(&h.windows, 0);
		h.jump_entry = PAGE_BYTES;
		fake_add_page(&h.memory, h.jump_entry);
	}
	h.main_window = h.windows.r[0];
	return h;
}

#endif
