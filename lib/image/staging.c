/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes [k MiB, (k+1) MiB) of the image are buffer number k, which lives in
 * place k % STAGING_BUFFERS. An append first takes its range of the stream,
 * then copies it piece by piece, without the lock, waiting for each buffer's
 * turn. Nobody can wait for ever: the lowest buffer that is not full has its
 * place already, and all who have a range in it can go on.
 */
#include "image/staging.h"

#include "formats/slot.h"
#include "image/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct buffer {
	struct aio_request req;
	uint8_t *data;
	uint64_t number;
	size_t filled; /* bytes copied into it; in any order */
};

struct staging {
	const struct target *target;
	struct aio *aio;
	struct halt *halt;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t turned;
	uint64_t end; /* of the stream so far, as an offset in the image */
	uint64_t written;
	uint64_t busy_ns, busy_since; /* with something in flight: before, and since when */
	unsigned int in_flight;
	struct buffer buffers[STAGING_BUFFERS];
};

err_t staging_create(const struct target *target, struct aio *aio, struct halt *halt,
		     struct staging **out)
{
	struct staging *s = calloc(1, sizeof(*s));

	if (!s)
		return err_new(ERR_NOMEM, "staging buffers");
	s->target = target;
	s->aio = aio;
	s->halt = halt;
	s->end = SLOT_DATA_START;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->turned, NULL);
	for (unsigned int i = 0; i < STAGING_BUFFERS; i++) {
		s->buffers[i].number = i;
		s->buffers[i].data = alloc_now(STAGING_BYTES);
		if (!s->buffers[i].data) {
			staging_destroy(s);
			return err_new(ERR_NOMEM, "staging buffers");
		}
	}
	s->buffers[0].filled = SLOT_DATA_START; /* of this part nothing is written */
	*out = s;
	return NULL;
}

void staging_destroy(struct staging *s)
{
	if (!s)
		return;
	for (unsigned int i = 0; i < STAGING_BUFFERS; i++)
		free(s->buffers[i].data);
	pthread_cond_destroy(&s->turned);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The first n bytes of a buffer go out. */
static void submit(struct staging *s, struct buffer *b, size_t n)
{
	size_t skip = b->number ? 0 : SLOT_DATA_START;

	pthread_mutex_lock(&s->lock);
	if (!s->in_flight++)
		s->busy_since = now_ns();
	pthread_mutex_unlock(&s->lock);
	b->req.buf = b->data + skip;
	b->req.n = n - skip;
	b->req.offset = b->number * STAGING_BYTES + skip;
	b->req.write = true;
	aio_submit(s->aio, &b->req);
}

/* The place of a buffer, once it is its turn. NULL when all were halted. */
static struct buffer *await_turn(struct staging *s, uint64_t number)
{
	struct buffer *b = &s->buffers[number % STAGING_BUFFERS];

	pthread_mutex_lock(&s->lock);
	while (b->number != number && !halted(s->halt))
		pthread_cond_wait(&s->turned, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return halted(s->halt) ? NULL : b;
}

/* Copy n bytes (zeros when data is NULL) into the range at offset, taken before. */
static err_t fill(struct staging *s, uint64_t offset, const uint8_t *data, size_t n)
{
	while (n) {
		struct buffer *b = await_turn(s, offset / STAGING_BYTES);
		size_t at = offset % STAGING_BYTES;
		size_t piece = min_u64(n, STAGING_BYTES - at);
		bool full;

		if (!b)
			return err_new(ERR_ABORTED, "writing was stopped");
		if (data)
			memcpy(b->data + at, data, piece);
		else
			memset(b->data + at, 0, piece);
		pthread_mutex_lock(&s->lock);
		b->filled += piece;
		full = b->filled == STAGING_BYTES;
		pthread_mutex_unlock(&s->lock);
		if (full)
			submit(s, b, STAGING_BYTES);
		offset += piece;
		n -= piece;
		data = data ? data + piece : NULL;
	}
	return NULL;
}

/* The next n bytes of the stream, between padding: *start is the first of all,
 * *offset the first after the padding, *end follows the padding after. */
static err_t take_range(struct staging *s, size_t n, bool aligned, uint64_t *start,
			uint64_t *offset, uint64_t *end)
{
	bool fits;

	pthread_mutex_lock(&s->lock);
	*start = s->end;
	*offset = aligned ? align_up(*start, PAGE_BYTES) : *start;
	*end = aligned ? align_up(*offset + n, PAGE_BYTES) : *offset + n;
	fits = align_up(*end, PAGE_BYTES) <= s->target->bytes;
	if (fits)
		s->end = *end;
	pthread_mutex_unlock(&s->lock);
	if (!fits)
		return err_new(ERR_NOSPACE, "%s is full: it has %llu MiB", s->target->name,
			       (unsigned long long)(s->target->bytes / MIB));
	return NULL;
}

err_t staging_append(struct staging *s, const void *data, size_t n, bool aligned, uint64_t *offset)
{
	uint64_t start, end;

	TRY(take_range(s, n, aligned, &start, offset, &end));
	TRY(fill(s, start, NULL, *offset - start));
	TRY(fill(s, *offset, data, n));
	return fill(s, *offset + n, NULL, end - *offset - n);
}

err_t staging_finish(struct staging *s, uint64_t *end)
{
	uint64_t offset;
	struct buffer *b;

	TRY(staging_append(s, NULL, 0, true, &offset));
	*end = offset;
	if (offset % STAGING_BYTES == 0)
		return NULL; /* the last one was full, and went out */
	b = await_turn(s, offset / STAGING_BYTES);
	if (!b)
		return err_new(ERR_ABORTED, "writing was stopped");
	if (offset > SLOT_DATA_START)
		submit(s, b, offset % STAGING_BYTES);
	return NULL;
}

void staging_written(struct staging *s, struct aio_request *req)
{
	struct buffer *b = (struct buffer *)req; /* its first member */

	pthread_mutex_lock(&s->lock);
	if (!--s->in_flight)
		s->busy_ns += now_ns() - s->busy_since;
	s->written += req->result ? 0 : req->n;
	b->filled = 0;
	b->number += STAGING_BUFFERS;
	pthread_cond_broadcast(&s->turned);
	pthread_mutex_unlock(&s->lock);
}

unsigned int staging_in_flight(struct staging *s)
{
	unsigned int n;

	pthread_mutex_lock(&s->lock);
	n = s->in_flight;
	pthread_mutex_unlock(&s->lock);
	return n;
}

uint64_t staging_bytes_written(struct staging *s, uint64_t *busy_ns)
{
	uint64_t n;

	pthread_mutex_lock(&s->lock);
	n = s->written;
	if (busy_ns)
		*busy_ns = s->busy_ns + (s->in_flight ? now_ns() - s->busy_since : 0);
	pthread_mutex_unlock(&s->lock);
	return n;
}

void staging_wake(struct staging *s)
{
	pthread_mutex_lock(&s->lock);
	pthread_cond_broadcast(&s->turned);
	pthread_mutex_unlock(&s->lock);
}
