/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/blockscan.h"

#include "base/util.h"
#include "memory/source.h"

#include <assert.h>
#include <string.h>

#define WORDS (PAGE_BYTES / sizeof(uint64_t))

/*
 * Is a page one word repeated? Most pages are not, and tell so in their first
 * 64 bytes; the last word catches those with a long uniform beginning.
 */
static bool is_uniform(const uint64_t *w)
{
	uint64_t first = w[0];

	if (w[1] != first || w[WORDS - 1] != first)
		return false;
	for (size_t i = 0; i < WORDS; i += 8) {
		uint64_t d = (w[i] ^ first) | (w[i + 1] ^ first) | (w[i + 2] ^ first) |
			     (w[i + 3] ^ first) | (w[i + 4] ^ first) | (w[i + 5] ^ first) |
			     (w[i + 6] ^ first) | (w[i + 7] ^ first);

		if (d)
			return false;
	}
	return true;
}

static struct run page_run(uint8_t class, const uint8_t *page)
{
	const uint64_t *words = (const uint64_t *)page;

	if (class == PAGE_SKIP)
		return (struct run){RUN_SKIP, 1, 0};
	if (!is_uniform(words))
		return (struct run){RUN_DATA, 1, 0};
	return (struct run){words[0] ? RUN_FILL : RUN_ZERO, 1, words[0]};
}

void blockscan(const uint8_t classes[CHUNK_PAGES], const uint8_t *pages, struct chunk *chunk)
{
	struct run *last = NULL;

	chunk->run_count = 0;
	chunk->data_pages = 0;
	for (size_t i = 0; i < CHUNK_PAGES; i++) {
		struct run run = page_run(classes[i], pages + i * PAGE_BYTES);

		chunk->data_pages += run.kind == RUN_DATA;
		if (last && last->kind == run.kind && last->word == run.word) {
			last->pages++;
			continue;
		}
		last = &chunk->runs[chunk->run_count++];
		*last = run;
	}
	if (last->kind == RUN_SKIP) /* pages after the last run are skipped anyway */
		chunk->run_count--;
}

const uint8_t *blockscan_gather(const struct chunk *c, const uint8_t *pages, uint8_t *bounce)
{
	size_t bytes = (size_t)c->data_pages * PAGE_BYTES, done = 0;

	for (uint16_t i = 0; i < c->run_count; i++) {
		size_t n = (size_t)c->runs[i].pages * PAGE_BYTES;

		if (c->runs[i].kind == RUN_DATA) {
			if (n == bytes)
				return pages;
			memcpy(bounce + done, pages, n);
			done += n;
		}
		pages += n;
	}
	return bounce;
}

bool blockscan_wanted(const uint8_t classes[CHUNK_PAGES])
{
	static_assert(PAGE_SKIP == 0, "all bytes zero is all pages skipped");
	static const uint8_t none[CHUNK_PAGES];

	return memcmp(classes, none, CHUNK_PAGES) != 0;
}
