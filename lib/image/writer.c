/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who does what: each worker takes a block, makes a chunk of it, and appends
 * it; the worker that ends last closes the image. The calling thread hands full
 * buffers to the target and takes them back, and ticks.
 */
#include "image/writer.h"

#include "base/crc32c.h"
#include "base/util.h"
#include "formats/hostinfo.h"
#include "image/aio.h"
#include "image/alloc.h"
#include "image/blockscan.h"
#include "image/chooser.h"
#include "image/halt.h"
#include "image/indexwriter.h"
#include "image/inorder.h"
#include "image/sealwriter.h"
#include "image/staging.h"
#include "image/threads.h"
#include "keys/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK_BYTES ((size_t)CHUNK_PAGES * PAGE_BYTES)

struct worker {
	struct image_writer *w;
	unsigned int number;
	uint8_t *bounce;     /* data pages that do not lie together */
	uint8_t *compressed; /* the codec's output, then the cipher's */
	uint8_t *workspace;
	struct sealer sealer; /* of a sealed image */
};

struct image_writer {
	struct image_writer_options options;
	const struct target *target;
	struct halt halt;
	struct aio *aio;
	struct staging *staging;
	struct chooser chooser;
	struct worker *workers;

	/* of the run */
	struct memory_source *source;
	struct inorder *order;
	struct indexwriter *index;
	struct slot_region directory;
	struct slot_sealing sealing;
	uint64_t image_end;
	atomic_uint unclosed, running; /* workers that have not come to their end */
	atomic_uint_fast64_t done_pages, data_pages, zero_pages, fill_pages, stored_bytes;
};

static err_t worker_init(struct worker *t, struct image_writer *w, unsigned int number)
{
	const struct codec_choice *choice = &w->options.codec;
	const struct image_seal *seal = w->options.seal;

	t->w = w;
	t->number = number;
	t->bounce = alloc_now(BLOCK_BYTES);
	t->compressed = alloc_now(codec_choice_bound(choice, BLOCK_BYTES));
	t->workspace = alloc_now(codec_choice_workspace(choice));
	if (!t->bounce || !t->compressed || !t->workspace)
		return err_new(ERR_NOMEM, "buffers of %u threads", w->options.threads);
	if (!seal)
		return NULL;
	return sealing_open(&t->sealer, cipher_id(seal->cipher), w->options.nonce, &seal->keys);
}

/* All that can be had before the source is known. */
static err_t allocate(struct image_writer *w)
{
	w->workers = calloc(w->options.threads, sizeof(*w->workers));
	if (!w->workers)
		return err_new(ERR_NOMEM, "image writer");
	for (unsigned int i = 0; i < w->options.threads; i++)
		TRY(worker_init(&w->workers[i], w, i));
	TRY(aio_create(w->target, w->options.sync_io, &w->aio));
	return staging_create(w->target, w->aio, &w->halt, &w->staging);
}

err_t image_writer_create(const struct image_writer_options *options, const struct target *target,
			  struct image_writer **out)
{
	struct image_writer *w;
	err_t e;

	if (options->threads < 1 || options->threads > IMAGE_THREADS_MAX)
		return err_new(ERR_INVALID, "%u threads, possible are 1 to %u", options->threads,
			       IMAGE_THREADS_MAX);
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_new(ERR_NOMEM, "image writer");
	w->options = *options;
	w->target = target;
	chooser_init(&w->chooser, &w->options.codec, options->threads);
	halt_init(&w->halt);
	e = allocate(w);
	if (e) {
		image_writer_destroy(w);
		return e;
	}
	*out = w;
	return NULL;
}

void image_writer_destroy(struct image_writer *w)
{
	if (!w)
		return;
	aio_destroy(w->aio);
	staging_destroy(w->staging);
	indexwriter_destroy(w->index);
	inorder_destroy(w->order);
	for (unsigned int i = 0; w->workers && i < w->options.threads; i++) {
		free(w->workers[i].bounce);
		free(w->workers[i].compressed);
		free(w->workers[i].workspace);
		sealing_close(&w->workers[i].sealer);
	}
	free(w->workers);
	halt_deinit(&w->halt);
	free(w);
}

/* All threads end, with the first error of all. */
static void fail(struct image_writer *w, err_t e)
{
	halt_take(&w->halt, e);
	staging_wake(w->staging);
	if (w->order)
		inorder_wake(w->order);
	aio_wake(w->aio);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* What is stored for raw bytes of data: they themselves, when they do not shrink. */
static const uint8_t *compress(struct worker *t, const struct codec_choice *choice,
			       const uint8_t *data, size_t raw, struct chunk *c)
{
	size_t n = raw;

	c->codec = codec_id(choice->codec);
	if (c->codec != CODEC_NONE)
		n = choice->codec->compress(data, raw, t->compressed, choice->level, t->workspace);
	if (n < raw)
		data = t->compressed;
	else
		c->codec = CODEC_NONE;
	c->stored = (uint32_t)min_u64(n, raw);
	return data;
}

/* *data is what is stored, encrypted where the image is sealed. */
static err_t seal(struct worker *t, const uint8_t **data, struct chunk *c)
{
	if (t->w->options.seal) {
		TRY(sealing_encrypt_chunk(&t->sealer, c, *data, t->compressed));
		*data = t->compressed;
	}
	c->crc32c = crc32c(0, *data, c->stored);
	return NULL;
}

/* Compress and append the data pages of a block; the chunk's place is set. */
static err_t store(struct worker *t, const uint8_t *pages, struct chunk *c)
{
	const uint8_t *data = blockscan_gather(c, pages, t->bounce);
	size_t raw = (size_t)c->data_pages * PAGE_BYTES;
	const struct codec_choice *choice;
	uint64_t before = 0;
	bool measure;

	choice = chooser_next(&t->w->chooser, &measure);
	if (measure)
		before = cpu_ns();
	data = compress(t, choice, data, raw, c);
	TRY(seal(t, &data, c));
	if (measure)
		chooser_note(&t->w->chooser, choice, raw, c->stored, cpu_ns() - before);
	return staging_append(t->w->staging, data, c->stored, false, &c->offset);
}

static void count(struct image_writer *w, const struct chunk *c)
{
	uint64_t zero = 0, same = 0;

	for (uint16_t i = 0; i < c->run_count; i++) {
		zero += c->runs[i].kind == RUN_ZERO ? c->runs[i].pages : 0;
		same += c->runs[i].kind == RUN_FILL ? c->runs[i].pages : 0;
	}
	atomic_fetch_add(&w->data_pages, c->data_pages);
	atomic_fetch_add(&w->zero_pages, zero);
	atomic_fetch_add(&w->fill_pages, same);
	atomic_fetch_add(&w->stored_bytes, c->stored);
}

static err_t do_block(struct worker *t, uint64_t block, struct chunk *c)
{
	struct memory_source *source = t->w->source;
	uint8_t classes[CHUNK_PAGES], *pages;
	err_t e = NULL;

	*c = (struct chunk){.first_pfn = source->first_pfn(source->self, block)};
	source->classify(source->self, block, classes);
	if (!blockscan_wanted(classes))
		return NULL;
	TRY(source->map(source->self, t->number, block, classes, &pages));
	blockscan(classes, pages, c);
	if (c->data_pages)
		e = store(t, pages, c);
	source->unmap(source->self, t->number, pages);
	count(t->w, c);
	return e;
}

/*
 * After the last block: what is left of the index, and of the stream. The sealed key is
 * the last of all, so that a writing that is cut short has rarely left one.
 */
static err_t close_image(struct image_writer *w)
{
	TRY(indexwriter_finish(w->index, &w->directory, w->sealing.directory_sha256));
	if (w->options.seal)
		TRY(sealwriter_append(w->options.seal, w->staging, &w->sealing));
	return staging_finish(w->staging, &w->image_end);
}

static void *work(void *arg)
{
	struct worker *t = arg;
	struct image_writer *w = t->w;
	struct chunk *chunk;
	uint64_t block;
	err_t e = NULL;

	while (!e && inorder_take(w->order, &block, &chunk)) {
		e = do_block(t, block, chunk);
		if (!e)
			e = inorder_done(w->order, block);
		atomic_fetch_add(&w->done_pages, CHUNK_PAGES);
	}
	if (atomic_fetch_sub(&w->unclosed, 1) == 1 && !e && !halted(&w->halt))
		e = close_image(w);
	if (e)
		fail(w, e);
	atomic_fetch_sub(&w->running, 1);
	aio_wake(w->aio);
	return NULL;
}

static err_t tick(struct image_writer *w)
{
	struct image_progress p = {
		.done_pages = atomic_load(&w->done_pages),
		.total_pages = w->source->blocks * CHUNK_PAGES,
		.data_pages = atomic_load(&w->data_pages),
		.written = staging_bytes_written(w->staging, NULL),
	};

	return w->options.tick ? w->options.tick(w->options.tick_arg, &p) : NULL;
}

/* Whether there is a codec to be picked; measured since the run's begin. */
static void consider_codec(struct image_writer *w, const struct timespec *begin)
{
	uint64_t written, busy_ns;
	struct timespec now;

	if (chooser_picked(&w->chooser))
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	written = staging_bytes_written(w->staging, &busy_ns);
	chooser_consider(&w->chooser,
			 (uint64_t)((now.tv_sec - begin->tv_sec) * 1000 +
				    (now.tv_nsec - begin->tv_nsec) / 1000000),
			 written, busy_ns);
}

/* Until all workers have ended and nothing is in flight. */
static void attend(struct image_writer *w)
{
	struct timespec begin;
	struct ticker ticker;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	ticker_init(&ticker);
	while (atomic_load(&w->running) || staging_in_flight(w->staging)) {
		struct aio_request *req = aio_wait(w->aio, ticker_left(&ticker));

		if (req) {
			err_t e = req->result; /* before the buffer is another's */

			staging_written(w->staging, req);
			if (e)
				fail(w, e);
		}
		consider_codec(w, &begin);
		if (ticker_due(&ticker) && !halted(&w->halt)) {
			err_t e = tick(w);

			if (e)
				fail(w, e);
		}
	}
}

static err_t emit(void *arg, const struct chunk *chunk)
{
	return indexwriter_add(arg, chunk);
}

/* All that needs the source, then the header, which fits the first buffer. */
static err_t begin(struct image_writer *w, const uint8_t *header, size_t n,
		   struct slot_region *region)
{
	if (w->options.seal)
		TRY(digest_sha256(header, n, w->sealing.header_sha256));
	TRY(indexwriter_create(w->staging, w->options.nonce, w->source->blocks, w->options.seal,
			       &w->index));
	TRY(inorder_create(w->source->blocks, &w->halt, emit, w->index, &w->order));
	region->length = (uint32_t)n;
	region->crc32c = crc32c(0, header, n);
	return staging_append(w->staging, header, n, true, &region->offset);
}

err_t image_writer_add_notes(struct image_writer *w, const uint8_t *notes, size_t n,
			     struct slot_region *region)
{
	static_assert(HOSTINFO_NOTES_MAX + HOSTINFO_MAX < STAGING_BUFFERS * STAGING_BYTES / 2,
		      "notes and header find room before anything is written");

	if (!n || n > HOSTINFO_NOTES_MAX - CIPHER_TAG_BYTES)
		return err_new(ERR_INVALID, "notes of %zu bytes", n);
	if (w->options.seal)
		return sealwriter_notes(&w->workers[0].sealer, w->staging, notes, n, region);
	region->length = (uint32_t)n;
	region->crc32c = crc32c(0, notes, n);
	return staging_append(w->staging, notes, n, true, &region->offset);
}

void image_writer_codec(struct image_writer *w, char out[CODEC_CHOICE_TEXT_MAX])
{
	const struct codec_choice *picked = chooser_picked(&w->chooser);

	codec_choice_print(picked ? picked : &w->options.codec, out);
}

err_t image_writer_run(struct image_writer *w, struct memory_source *source, const uint8_t *header,
		       size_t header_bytes, struct slot *slot)
{
	pthread_t threads[IMAGE_THREADS_MAX];
	struct slot_region header_region;
	unsigned int started;
	err_t e;

	if (!header_bytes || header_bytes > HOSTINFO_MAX)
		return err_new(ERR_INVALID, "header of %zu bytes", header_bytes);
	w->source = source;
	TRY(begin(w, header, header_bytes, &header_region));
	atomic_store(&w->unclosed, w->options.threads);
	atomic_store(&w->running, w->options.threads);
	e = threads_start(threads, w->options.threads, work, w->workers, sizeof(*w->workers),
			  &started);
	if (e) {
		atomic_fetch_sub(&w->running, w->options.threads - started);
		fail(w, e);
	}
	attend(w);
	threads_join(threads, started);
	if (w->options.seal)
		sealwriter_note(w->options.seal, &w->sealing, slot);
	TRY(halt_result(&w->halt));
	TRY(tick(w)); /* so that whoever shows it sees the end */
	slot->header = header_region;
	slot->directory = w->directory;
	slot->image_end = w->image_end;
	slot->data_pages = atomic_load(&w->data_pages);
	slot->zero_pages = atomic_load(&w->zero_pages);
	slot->fill_pages = atomic_load(&w->fill_pages);
	slot->raw_bytes = slot->data_pages * PAGE_BYTES;
	slot->stored_bytes = atomic_load(&w->stored_bytes);
	return w->options.seal ? sealing_tag(&w->options.seal->keys, slot) : NULL;
}
