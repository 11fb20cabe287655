/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/place.h"

#include "base/crc32c.h"
#include "base/util.h"
#include "codec/codec.h"
#include "image/alloc.h"

#include <string.h>

#define BLOCK_BYTES ((size_t)CHUNK_PAGES * PAGE_BYTES)
#define POISON	    0xaa /* kernel: include/linux/poison.h, PAGE_POISON */

err_t place_init(struct placer *p, struct memory_sink *sink, const struct room *room,
		 enum free_fill free_fill, unsigned int threads)
{
	*p = (struct placer){
		.sink = sink, .room = room, .free_fill = free_fill, .threads = threads};
	p->workspace_bytes = align_up(codec_decompress_workspace(), 64);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->returned, NULL);
	p->workspace = alloc_now(p->workspace_bytes * threads);
	if (!p->workspace)
		return err_new(ERR_NOMEM, "decompression buffers");
	for (; p->scratch_count < PLACE_SCRATCH; p->scratch_count++) {
		p->scratch[p->scratch_count] = alloc_now(BLOCK_BYTES);
		if (!p->scratch[p->scratch_count])
			return err_new(ERR_NOMEM, "decompression buffers");
	}
	return NULL;
}

err_t place_unseal(struct placer *p, const struct slot *slot, const struct image_keys *keys)
{
	p->sealers = calloc(p->threads, sizeof(*p->sealers));
	if (!p->sealers)
		return err_new(ERR_NOMEM, "decryption");
	for (unsigned int i = 0; i < p->threads; i++)
		TRY(sealing_open(&p->sealers[i], slot->sealing.cipher, slot->nonce, keys));
	return NULL;
}

void place_deinit(struct placer *p)
{
	for (unsigned int i = 0; p->sealers && i < p->threads; i++)
		sealing_close(&p->sealers[i]);
	free(p->sealers);
	while (p->scratch_count)
		free(p->scratch[--p->scratch_count]);
	free(p->workspace);
	pthread_cond_destroy(&p->returned);
	pthread_mutex_destroy(&p->lock);
}

/* Both at once or none, so that two threads cannot wait for each other. */
static void scratch_take(struct placer *p, uint8_t **a, bool want_a, uint8_t **b, bool want_b)
{
	unsigned int n = want_a + want_b;

	*a = *b = NULL;
	if (!n)
		return;
	pthread_mutex_lock(&p->lock);
	while (p->scratch_count < n)
		pthread_cond_wait(&p->returned, &p->lock);
	if (want_a)
		*a = p->scratch[--p->scratch_count];
	if (want_b)
		*b = p->scratch[--p->scratch_count];
	pthread_mutex_unlock(&p->lock);
}

static void scratch_return(struct placer *p, uint8_t *a, uint8_t *b)
{
	if (!a && !b)
		return;
	pthread_mutex_lock(&p->lock);
	if (a)
		p->scratch[p->scratch_count++] = a;
	if (b)
		p->scratch[p->scratch_count++] = b;
	pthread_cond_broadcast(&p->returned);
	pthread_mutex_unlock(&p->lock);
}

/* A block that is mapped, and what has been done to its pages. */
struct block {
	uint64_t first_pfn;
	uint8_t *pages;
	uint8_t placed[CHUNK_PAGES]; /* enum page_placed */
};

static const uint8_t placed_as[] = {
	[RUN_SKIP] = PLACED_NONE,
	[RUN_DATA] = PLACED_DATA,
	[RUN_ZERO] = PLACED_ZERO,
	[RUN_FILL] = PLACED_DATA,
};

static void put_word(uint8_t *to, uint64_t word, size_t bytes)
{
	uint64_t *w = (uint64_t *)to;

	for (size_t i = 0; i < bytes / sizeof(word); i++)
		w[i] = word;
}

bool place_fills(const struct placer *p)
{
	return p->sink && (p->free_fill == FREE_FILL_ZERO || p->free_fill == FREE_FILL_POISON);
}

/*
 * Pages that the image leaves out: those that are RAM, and not of a window, are
 * the host's free pages. Page 0 is the firmware's, and no Linux uses it
 * (arch/x86/kernel/setup.c, early_reserve_memory).
 */
static void fill_free(const struct placer *p, struct block *b, uint64_t at, uint64_t pages)
{
	uint64_t pfn = max_u64(b->first_pfn + at, 1), end = b->first_pfn + at + pages, from, to;
	bool poison = p->free_fill == FREE_FILL_POISON;

	if (!place_fills(p))
		return;
	for (; room_next(p->room, pfn, &from, &to) && from < end; pfn = to) {
		to = min_u64(to, end);
		from -= b->first_pfn;
		memset(b->pages + from * PAGE_BYTES, poison ? POISON : 0,
		       (to - b->first_pfn - from) * PAGE_BYTES);
		memset(b->placed + from, poison ? PLACED_DATA : PLACED_ZERO,
		       to - b->first_pfn - from);
	}
}

/* All pages of a block. raw: its data pages, or NULL when they are in place. */
static void fill_block(const struct placer *p, const struct chunk *c, struct block *b,
		       const uint8_t *raw)
{
	uint64_t at = 0;

	for (uint16_t i = 0; i < c->run_count; i++) {
		const struct run *run = &c->runs[i];
		uint8_t *to = b->pages + at * PAGE_BYTES;
		size_t n = (size_t)run->pages * PAGE_BYTES;

		memset(b->placed + at, placed_as[run->kind], run->pages);
		if (run->kind == RUN_SKIP)
			fill_free(p, b, at, run->pages);
		else if (run->kind == RUN_ZERO)
			memset(to, 0, n);
		else if (run->kind == RUN_FILL)
			put_word(to, run->word, n);
		else if (raw)
			memcpy(to, raw, n);
		if (run->kind == RUN_DATA && raw)
			raw += n;
		at += run->pages;
	}
	fill_free(p, b, at, CHUNK_PAGES - at);
}

/* Where in the block all data pages lie, if they are one run; else NULL. */
static uint8_t *single_run(const struct chunk *c, uint8_t *pages)
{
	for (uint16_t i = 0; i < c->run_count; i++) {
		if (c->runs[i].kind == RUN_DATA)
			return c->runs[i].pages == c->data_pages ? pages : NULL;
		pages += (size_t)c->runs[i].pages * PAGE_BYTES;
	}
	return NULL;
}

static err_t check_crc(const struct chunk *c, const struct place_piece pieces[2])
{
	uint32_t crc = crc32c(0, pieces[0].p, pieces[0].n);

	if (pieces[1].n)
		crc = crc32c(crc, pieces[1].p, pieces[1].n);
	return crc == c->crc32c ? NULL : err_new(ERR_CORRUPT, "checksum differs");
}

/*
 * The codec's output, in one piece and authentic: join, if that was needed, else the
 * stored bytes themselves, which others may be reading too.
 */
static err_t open_chunk(const struct placer *p, unsigned int thread, const struct chunk *c,
			const struct place_piece pieces[2], uint8_t *join, const uint8_t **out)
{
	const uint8_t *in = pieces[0].p;

	if (pieces[1].n) {
		memcpy(join, pieces[0].p, pieces[0].n);
		memcpy(join + pieces[0].n, pieces[1].p, pieces[1].n);
		in = join;
	}
	*out = p->sealers ? join : in;
	return p->sealers ? sealing_decrypt_chunk(&p->sealers[thread], c, in, join) : NULL;
}

/*
 * The data pages of a block: straight to where they belong if that is one piece
 * (*raw is NULL then), else into a buffer, which may be the codec's output itself.
 */
static err_t unpack(const struct chunk *c, const uint8_t *in, uint8_t *bounce, uint8_t *direct,
		    void *workspace, const uint8_t **raw)
{
	*raw = direct ? NULL : bounce ? bounce : in;
	if (!direct && !bounce)
		return NULL;
	return codec_by_id(c->codec)->decompress(in, c->stored, direct ? direct : bounce,
						 (size_t)c->data_pages * PAGE_BYTES, workspace);
}

static err_t place_data(struct placer *p, unsigned int thread, const struct chunk *c,
			const struct place_piece pieces[2], struct block *b)
{
	uint8_t *direct = b->pages ? single_run(c, b->pages) : NULL, *join, *bounce;
	const uint8_t *in, *raw;
	err_t e;

	scratch_take(p, &join, pieces[1].n > 0 || p->sealers, &bounce,
		     !direct && c->codec != CODEC_NONE);
	e = open_chunk(p, thread, c, pieces, join, &in);
	if (!e)
		e = unpack(c, in, bounce, direct, p->workspace + thread * p->workspace_bytes, &raw);
	if (!e && b->pages)
		fill_block(p, c, b, raw);
	scratch_return(p, join, bounce);
	return e;
}

err_t place_chunk(struct placer *p, unsigned int thread, const struct chunk *c,
		  const struct place_piece pieces[2])
{
	struct block b = {.first_pfn = c->first_pfn};
	err_t e = NULL;

	if (c->stored)
		TRY(check_crc(c, pieces));
	if (p->sink)
		TRY(p->sink->map(p->sink->self, thread, c->first_pfn, &b.pages));
	if (c->stored)
		e = place_data(p, thread, c, pieces, &b);
	else if (b.pages)
		fill_block(p, c, &b, NULL);
	if (b.pages)
		e = err_first(e, p->sink->unmap(p->sink->self, thread, c->first_pfn, b.pages,
						e ? NULL : b.placed));
	return e;
}
