/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/reader.h"

#include "base/util.h"
#include "image/aio.h"
#include "image/alloc.h"
#include "image/halt.h"
#include "image/indexscan.h"
#include "image/jobs.h"
#include "image/place.h"
#include "image/readahead.h"
#include "image/threads.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(CHUNK_PAGES * PAGE_BYTES <= READAHEAD_BYTES, "a chunk lies in two units at most");

struct reader {
	const struct image_reader_options *options;
	const struct slot *slot;
	struct indexscan scan;
	struct placer placer;
	struct halt halt;
	struct aio *aio;
	struct readahead *ahead;
	struct jobs *jobs;
	struct ticker ticker;
	pthread_mutex_t damage; /* of the calls to options->damaged, and of: */
	uint8_t *reread;	/* a chunk by itself, where a whole unit cannot be read */
	atomic_uint running;	/* workers that have not come to their end */
	atomic_uint_fast64_t done_pages, data_pages;
};

struct worker {
	struct reader *r;
	unsigned int number;
};

/* The rest of the index. */
static err_t check_all(struct indexscan *scan)
{
	struct chunk chunk;
	bool more;

	do
		TRY(indexscan_next(scan, &chunk, &more));
	while (more);
	return NULL;
}

err_t image_check_index(const struct target *t, const struct slot *slot,
			const struct image_keys *keys, const struct hostinfo *info)
{
	struct indexscan scan;
	err_t e = indexscan_init(&scan, t, slot, keys, info);

	if (!e)
		e = check_all(&scan);
	indexscan_deinit(&scan);
	return e;
}

/* All threads end, with the first error of all. */
static void fail(struct reader *r, err_t e)
{
	halt_take(&r->halt, e);
	jobs_wake(r->jobs);
	readahead_wake(r->ahead);
	aio_wake(r->aio);
}

static uint64_t named_pages(const struct chunk *c)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < c->run_count; i++)
		n += c->runs[i].kind == RUN_SKIP ? 0 : c->runs[i].pages;
	return n;
}

/* The bytes of a job's chunk, when they have been read. */
static err_t await_pieces(struct reader *r, const struct job *job, struct place_piece pieces[2])
{
	const struct chunk *c = &job->chunk;
	size_t left = c->stored;

	for (int i = 0; i < 2 && job->units[i]; i++) {
		TRY(readahead_await(r->ahead, job->units[i]));
		pieces[i].n = left;
		pieces[i].p =
			readahead_bytes(job->units[i], c->offset + c->stored - left, &pieces[i].n);
		left -= pieces[i].n;
	}
	return NULL;
}

/* A chunk by itself: a unit holds several, of which only some may lie where
 * nothing can be read. *unreadable: this one does. */
static err_t place_alone(struct worker *t, const struct chunk *c, bool *unreadable)
{
	uint64_t start = align_down(c->offset, PAGE_BYTES);
	uint64_t end = align_up(c->offset + c->stored, PAGE_BYTES);
	struct place_piece pieces[2] = {{t->r->reread + (c->offset - start), c->stored}};
	err_t e = target_read(t->r->scan.target, t->r->reread, end - start, start);

	*unreadable = e != NULL;
	return e ? e : place_chunk(&t->r->placer, t->number, c, pieces);
}

/* What a person needs to know of the chunk that e is about. */
static err_t name_chunk(err_t e, const struct chunk *c)
{
	uint64_t start = c->first_pfn * PAGE_BYTES;

	return err_context(e, "chunk at %#llx-%#llx (%u pages)", (unsigned long long)start,
			   (unsigned long long)start + CHUNK_PAGES * PAGE_BYTES - 1, c->data_pages);
}

static bool is_damage(err_t e)
{
	return err_kind(e) == ERR_CORRUPT || err_kind(e) == ERR_AUTH;
}

/*
 * Wait for a job's bytes, then place it. Damage to the image, which can be
 * passed over, is what cannot be read, ERR_CORRUPT and ERR_AUTH; other errors are of
 * the place that the pages go to.
 */
static err_t do_job(struct worker *t, const struct job *job)
{
	struct place_piece pieces[2] = {0};
	struct reader *r = t->r;
	err_t e = await_pieces(r, job, pieces);
	bool unreadable = e != NULL;

	if (!e)
		e = place_chunk(&r->placer, t->number, &job->chunk, pieces);
	if (!e || !r->options->damaged || halted(&r->halt))
		return name_chunk(e, &job->chunk);
	pthread_mutex_lock(&r->damage);
	if (unreadable) {
		err_free(e);
		e = place_alone(t, &job->chunk, &unreadable);
	}
	e = name_chunk(e, &job->chunk);
	if (e && (unreadable || is_damage(e))) {
		r->options->damaged(r->options->damaged_arg, e);
		err_free(e);
		e = NULL;
	}
	pthread_mutex_unlock(&r->damage);
	return e;
}

static void *work(void *arg)
{
	struct worker *t = arg;
	struct reader *r = t->r;
	struct job *job;

	while ((job = jobs_take(r->jobs))) {
		err_t e = do_job(t, job);

		if (e)
			fail(r, e);
		atomic_fetch_add(&r->done_pages, named_pages(&job->chunk));
		atomic_fetch_add(&r->data_pages, job->chunk.data_pages);
		for (int i = 0; i < 2 && job->units[i]; i++)
			readahead_put(r->ahead, job->units[i]);
		jobs_done(r->jobs, job);
	}
	atomic_fetch_sub(&r->running, 1);
	aio_wake(r->aio);
	return NULL;
}

static err_t tick(struct reader *r)
{
	struct image_progress p = {
		.done_pages = atomic_load(&r->done_pages),
		.total_pages = r->slot->data_pages + r->slot->zero_pages + r->slot->fill_pages,
		.data_pages = atomic_load(&r->data_pages),
		.written = readahead_total(r->ahead),
	};

	return r->options->tick ? r->options->tick(r->options->tick_arg, &p) : NULL;
}

/* Take what has been read, tick when it is time. wait: until there is something
 * of either, or somebody wakes us. */
static void attend(struct reader *r, bool wait)
{
	struct aio_request *req = aio_wait(r->aio, wait ? ticker_left(&r->ticker) : 0);

	for (; req; req = aio_wait(r->aio, 0))
		readahead_read(r->ahead, req);
	if (ticker_due(&r->ticker) && !halted(&r->halt)) {
		err_t e = tick(r);

		if (e)
			fail(r, e);
	}
}

/* The units that a chunk's data lies in, as soon as they can be had. False
 * when all were halted: those got so far are the job's all the same. */
static bool get_units(struct reader *r, struct job *job)
{
	const struct chunk *c = &job->chunk;
	uint64_t first = c->offset, last = c->offset + c->stored - 1;
	unsigned int n = !c->stored ? 0 : first / READAHEAD_BYTES == last / READAHEAD_BYTES ? 1 : 2;

	for (unsigned int i = 0; i < n; i++)
		while (!(job->units[i] = readahead_get(r->ahead, i ? last : first))) {
			attend(r, true);
			if (halted(&r->halt))
				return false;
		}
	return true;
}

/* Queue the work for one block. */
static void feed(struct reader *r, const struct chunk *c)
{
	struct job *job;

	while (!(job = jobs_new(r->jobs)) && !halted(&r->halt))
		attend(r, true);
	if (halted(&r->halt))
		return;
	job->chunk = *c;
	job->units[0] = job->units[1] = NULL;
	if (!get_units(r, job))
		return;
	jobs_put(r->jobs);
	attend(r, false);
}

/* Blocks with RAM in [from, to), which the image does not name, but which may
 * have to be filled. Both are multiples of CHUNK_PAGES. */
static void feed_gap(struct reader *r, uint64_t from, uint64_t to)
{
	uint64_t start, end;

	while (place_fills(&r->placer) && !halted(&r->halt) &&
	       room_next(&r->scan.room, from, &start, &end) && start < to) {
		struct chunk nothing = {.first_pfn = align_down(start, CHUNK_PAGES)};

		feed(r, &nothing);
		from = nothing.first_pfn + CHUNK_PAGES;
	}
}

/* All blocks in ascending order. */
static err_t feed_all(struct reader *r)
{
	struct chunk chunk;
	uint64_t next = 0;
	bool more;

	while (!halted(&r->halt)) {
		TRY(indexscan_next(&r->scan, &chunk, &more));
		feed_gap(r, next, more ? chunk.first_pfn : UINT64_MAX);
		if (!more)
			break;
		feed(r, &chunk);
		next = chunk.first_pfn + CHUNK_PAGES;
	}
	return NULL;
}

/* Feed all to the workers, and see them end. */
static err_t run(struct reader *r)
{
	struct worker workers[IMAGE_THREADS_MAX];
	pthread_t threads[IMAGE_THREADS_MAX];
	unsigned int n = r->options->threads, started;
	err_t e;

	ticker_init(&r->ticker);
	atomic_store(&r->running, n);
	for (unsigned int i = 0; i < n; i++)
		workers[i] = (struct worker){r, i};
	e = threads_start(threads, n, work, workers, sizeof(workers[0]), &started);
	atomic_fetch_sub(&r->running, n - started);
	if (!e)
		e = feed_all(r);
	if (e)
		fail(r, e);
	jobs_close(r->jobs);
	while (atomic_load(&r->running))
		attend(r, true);
	threads_join(threads, started);
	TRY(halt_result(&r->halt));
	return tick(r); /* so that whoever shows it sees the end */
}

/* The buffers of a run. */
static err_t allocate(struct reader *r, const struct target *t, struct memory_sink *sink,
		      const struct hostinfo *info)
{
	uint64_t end = align_up(r->slot->image_end, PAGE_BYTES);
	enum free_fill fill = info->free_fill;

	if (r->options->fill_all && fill != FREE_FILL_POISON)
		fill = FREE_FILL_ZERO;
	TRY(place_init(&r->placer, sink, &r->scan.room, fill, r->options->threads));
	if (slot_is_sealed(r->slot))
		TRY(place_unseal(&r->placer, r->slot, r->options->keys));
	TRY(aio_create(t, r->options->sync_io, &r->aio));
	TRY(readahead_create(r->aio, &r->halt, end, &r->ahead));
	r->reread = r->options->damaged ? alloc_now((CHUNK_PAGES + 2) * PAGE_BYTES) : NULL;
	if (r->options->damaged && !r->reread)
		return err_new(ERR_NOMEM, "reading a damaged image");
	return jobs_create(r->aio, &r->halt, &r->jobs);
}

static void tell_index_damage(void *arg, err_t e)
{
	struct reader *r = arg;

	pthread_mutex_lock(&r->damage);
	r->options->damaged(r->options->damaged_arg, e);
	pthread_mutex_unlock(&r->damage);
}

/* Check the whole index, then do all chunks. sink NULL: nothing is placed. */
static err_t read_image(const struct target *t, const struct slot *slot,
			const struct hostinfo *info, struct memory_sink *sink,
			const struct image_reader_options *options)
{
	struct reader r = {.options = options, .slot = slot};
	err_t e;

	if (options->threads < 1 || options->threads > IMAGE_THREADS_MAX)
		return err_new(ERR_INVALID, "%u threads, possible are 1 to %u", options->threads,
			       IMAGE_THREADS_MAX);
	halt_init(&r.halt);
	pthread_mutex_init(&r.damage, NULL);
	e = indexscan_init(&r.scan, t, slot, options->keys, info);
	if (!e)
		e = allocate(&r, t, sink, info);
	if (!e && !options->damaged)
		e = check_all(&r.scan);
	if (!e) {
		indexscan_rewind(&r.scan);
		r.scan.damaged = options->damaged ? tell_index_damage : NULL;
		r.scan.damaged_arg = &r;
		e = run(&r);
	}
	aio_destroy(r.aio); /* before the buffers that requests may be on their way to */
	jobs_destroy(r.jobs);
	readahead_destroy(r.ahead);
	place_deinit(&r.placer);
	indexscan_deinit(&r.scan);
	free(r.reread);
	pthread_mutex_destroy(&r.damage);
	halt_deinit(&r.halt);
	return e;
}

err_t image_verify(const struct target *t, const struct slot *slot, const struct hostinfo *info,
		   const struct image_reader_options *options)
{
	return read_image(t, slot, info, NULL, options);
}

err_t image_restore(const struct target *t, const struct slot *slot, const struct hostinfo *info,
		    struct memory_sink *sink, const struct image_reader_options *options)
{
	return read_image(t, slot, info, sink, options);
}
