/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The directory, and a segment's entries; the first byte says which, and whether they
 * are a sealed image's (once decrypted). They have no checksums
 * of their own. Of both there is only one encoding, so what decodes must
 * encode to the same bytes.
 * Planted and found in 10 s: runs read behind the end; entries too; pages of
 * a run beyond the block; another number of data pages; more stored than raw; a
 * directory of another length; a segment that is too long.
 */
#include "fuzz.h"

#include "base/util.h"
#include "formats/directory.h"
#include "formats/index.h"

#define NONCE_AT  8
#define NUMBER_AT 24
#define END	  ((uint64_t)1 << 40)

static void try_directory(const uint8_t *in, size_t n, bool sealed)
{
	struct index_place *places;
	uint8_t *again;
	bool all = true;
	uint32_t count;

	if (n < 32 || !fuzz_fine(directory_decode(in, n, in + NONCE_AT, sealed, &count)))
		return;
	fuzz_check(directory_bytes(count, sealed) == n);
	places = calloc(count + 1, sizeof(*places));
	again = malloc(n);
	fuzz_check(places && again);
	for (uint32_t i = 0; i < count; i++) {
		if (!fuzz_fine(directory_place(in, i, sealed, END, &places[i]))) {
			all = false;
			continue;
		}
		fuzz_check(places[i].length <= INDEX_SEGMENT_MAX);
		fuzz_check(places[i].offset + places[i].length <= END);
	}
	if (all) {
		directory_encode(places, count, in + NONCE_AT, sealed, again);
		fuzz_check(!memcmp(in, again, n));
	}
	free(places);
	free(again);
}

static void check_chunk(const struct chunk *c)
{
	uint32_t pages = 0, data = 0;

	fuzz_check(c->first_pfn % CHUNK_PAGES == 0);
	fuzz_check(c->run_count >= 1 && c->run_count <= CHUNK_PAGES);
	for (uint16_t i = 0; i < c->run_count; i++) {
		fuzz_check(c->runs[i].pages >= 1 && c->runs[i].kind <= RUN_FILL);
		pages += c->runs[i].pages;
		data += c->runs[i].kind == RUN_DATA ? c->runs[i].pages : 0;
	}
	fuzz_check(pages <= CHUNK_PAGES && data == c->data_pages);
	fuzz_check(c->stored <= data * PAGE_BYTES && !c->stored == !data);
	fuzz_check(c->offset + c->stored >= c->offset);
}

static void try_segment(const uint8_t *in, size_t n, bool sealed)
{
	static struct index_segment again;
	struct index_cursor cur;
	uint64_t next = 0;
	bool more = true;

	if (n < 40 || !fuzz_fine(index_cursor_init(&cur, in, n, in + NONCE_AT,
						   fuzz_get32(in + NUMBER_AT), 0, sealed)))
		return;
	index_segment_init(&again, in + NONCE_AT, fuzz_get32(in + NUMBER_AT), sealed);
	while (more) {
		struct chunk c;

		if (!fuzz_fine(index_cursor_next(&cur, &c, &more)))
			return;
		if (!more)
			break;
		check_chunk(&c);
		fuzz_check(c.first_pfn >= next);
		next = c.first_pfn + CHUNK_PAGES;
		fuzz_check(index_segment_add(&again, &c));
	}
	fuzz_check(index_segment_finish(&again) == n && !memcmp(again.buf, in, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	uint8_t *copy;
	bool sealed;

	if (!n)
		return 0;
	copy = fuzz_copy(in + 1, n - 1);
	sealed = *in & 2;
	if (*in % 2 && n > 40) {
		try_segment(copy, n - 1, sealed);
		fuzz_put32(copy + 32, (uint32_t)n - 1); /* its length, in its header */
		try_segment(copy, n - 1, sealed);
	} else {
		try_directory(copy, n - 1, sealed);
	}
	free(copy);
	return 0;
}
