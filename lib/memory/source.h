/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory that an image is made of, or put back into: a machine's physical
 * memory (hostmem.h), or in tests and tools something that looks like it.
 */
#ifndef MEMORY_SOURCE_H
#define MEMORY_SOURCE_H

#include "base/err.h"

#include <stdint.h>

#define MEMORY_BLOCK_PAGES 128 /* as CHUNK_PAGES of the format */

/* What to do with a page, for pages of one block, in order. */
enum page_class {
	PAGE_SKIP = 0, /* free, of a window, or not RAM: not looked at */
	PAGE_SAVE = 1,
};

struct memory_source {
	void *self;

	/* Blocks of CHUNK_PAGES (128) pages: numbers 0 .. blocks-1 in ascending
	 * order, with holes left out; block i starts at pfn first_pfn(i). */
	uint64_t blocks;
	uint64_t (*first_pfn)(void *self, uint64_t block);

	/* How the block's pages are to be treated. From any thread. */
	void (*classify)(void *self, uint64_t block, uint8_t classes[128]);

	/*
	 * The pages of a block, readable at *pages (page aligned) until unmap.
	 * classes: as classify gave them; only pages of class PAGE_SAVE may be
	 * touched. From any thread, one mapping at a time in each (thread 0 ..
	 * threads-1).
	 */
	err_t (*map)(void *self, unsigned int thread, uint64_t block, const uint8_t classes[128],
		     uint8_t **pages);
	void (*unmap)(void *self, unsigned int thread, uint8_t *pages);
};

/* What was put into a page of a mapped block. */
enum page_placed {
	PLACED_NONE = 0, /* nothing */
	PLACED_DATA = 1,
	PLACED_ZERO = 2, /* zeros only */
};

/*
 * Where pages are put back. map() gives the memory of a block (128 pages),
 * writable, until unmap(), which is told what was done to each page; placed is
 * NULL when that is not known, because of an error. From any thread, one block
 * at a time in each. An error of unmap is one of placing.
 */
struct memory_sink {
	void *self;
	err_t (*map)(void *self, unsigned int thread, uint64_t first_pfn, uint8_t **pages);
	err_t (*unmap)(void *self, unsigned int thread, uint64_t first_pfn, uint8_t *pages,
		       const uint8_t placed[128]);
};

#endif
