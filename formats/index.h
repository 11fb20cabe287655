/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The index: which page lies where. One entry for each chunk, in ascending
 * order of physical address; entries are packed into segments of at most 64 KiB
 * with a checksum each, and a directory (formats/directory.h) lists them.
 * docs/image-format.md, "Index".
 *
 * A chunk covers one block of CHUNK_PAGES pages, aligned to its size. Its runs
 * say of each page of the block, in order, what became of it; pages after the
 * last run are skipped. The data pages of the block, one after the other, are
 * the chunk's data before compression.
 */
#ifndef FORMATS_INDEX_H
#define FORMATS_INDEX_H

#include "base/err.h"
#include "formats/directory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_PAGES	  128u
#define INDEX_SEGMENT_MAX (64u << 10)
#define INDEX_NONCE_BYTES 16u
#define INDEX_TAG_BYTES	  16u

enum run_kind {
	RUN_SKIP = 0, /* not in the image: free, a window, or not RAM */
	RUN_DATA = 1, /* stored */
	RUN_ZERO = 2, /* all zero */
	RUN_FILL = 3, /* one 64-bit word, repeated */
};

struct run {
	enum run_kind kind;
	uint16_t pages;
	uint64_t word; /* RUN_FILL */
};

struct chunk {
	uint64_t first_pfn;	      /* of the block: multiple of CHUNK_PAGES */
	uint64_t offset;	      /* of the stored bytes in the image; any byte */
	uint32_t stored;	      /* bytes; 0 when the chunk has no data pages */
	uint32_t crc32c;	      /* over the stored bytes */
	uint8_t codec;		      /* id, codec/codec.h */
	uint8_t tag[INDEX_TAG_BYTES]; /* in a sealed image, over the data; else zero */
	uint16_t data_pages; /* sum over the RUN_DATA runs; kept in step by encode and decode */
	uint16_t run_count;
	struct run runs[CHUNK_PAGES];
};

/* A segment being filled. Owns nothing outside of itself. */
struct index_segment {
	uint8_t buf[INDEX_SEGMENT_MAX];
	size_t used;
	uint32_t entries;
	bool sealed; /* entries have tags */
};

/* sealed: of a sealed image, whose segments are encrypted when they are finished. */
void index_segment_init(struct index_segment *seg, const uint8_t nonce[INDEX_NONCE_BYTES],
			uint32_t number, bool sealed);

/* Append; false when it does not fit and a new segment must be begun. */
bool index_segment_add(struct index_segment *seg, const struct chunk *chunk);

/* Seal: returns the bytes that count (checksum over them is the caller's, as
 * it stands in the directory). */
size_t index_segment_finish(struct index_segment *seg);

/* A cursor over the entries of a segment read back. */
struct index_cursor {
	const uint8_t *p, *end;
	uint32_t left;
	uint64_t next_pfn; /* lowest first_pfn that may follow */
	bool sealed;	   /* entries have tags */
};

/* Check a segment's header: right magic, nonce and number, else ERR_CORRUPT.
 * next_pfn: from the cursor of the segment before (0 for the first). */
err_t index_cursor_init(struct index_cursor *cur, const uint8_t *buf, size_t n,
			const uint8_t nonce[INDEX_NONCE_BYTES], uint32_t number, uint64_t next_pfn,
			bool sealed) ERR_CHECK;

/* The next chunk, checked as far as it can be by itself: alignment, ascending
 * order, run counts within the block, stored size against data pages. That its
 * bytes lie before the end of the image is the caller's to check (offset +
 * stored does not overflow), and that its pages are the host's RAM.
 * *more = false at the end (chunk unchanged). */
err_t index_cursor_next(struct index_cursor *cur, struct chunk *chunk, bool *more) ERR_CHECK;

#endif
