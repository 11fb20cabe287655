/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/readahead.h"

#include "base/util.h"
#include "formats/slot.h"
#include "image/alloc.h"

#include <assert.h>
#include <stdlib.h>

static_assert(READAHEAD_UNITS <= AIO_DEPTH, "each unit can be in flight");

enum unit_state { UNIT_EMPTY, UNIT_READING, UNIT_READY, UNIT_FAILED };

struct unit {
	struct aio_request req;
	uint8_t *data;
	uint64_t number; /* bytes [number MiB, (number + 1) MiB) of the image */
	enum unit_state state;
	unsigned int held;
	uint64_t used; /* when it was last asked for, by the count of calls */
};

struct readahead {
	struct aio *aio;
	struct halt *halt;
	uint64_t end;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t ready;
	bool starved; /* the feeder found no unit */
	uint64_t calls, total;
	struct unit units[READAHEAD_UNITS];
};

err_t readahead_create(struct aio *aio, struct halt *halt, uint64_t end, struct readahead **out)
{
	struct readahead *ra = calloc(1, sizeof(*ra));

	if (!ra)
		return err_new(ERR_NOMEM, "read-ahead buffers");
	ra->aio = aio;
	ra->halt = halt;
	ra->end = end;
	pthread_mutex_init(&ra->lock, NULL);
	pthread_cond_init(&ra->ready, NULL);
	for (unsigned int i = 0; i < READAHEAD_UNITS; i++) {
		ra->units[i].data = alloc_now(READAHEAD_BYTES);
		if (!ra->units[i].data) {
			readahead_destroy(ra);
			return err_new(ERR_NOMEM, "read-ahead buffers");
		}
	}
	*out = ra;
	return NULL;
}

void readahead_destroy(struct readahead *ra)
{
	if (!ra)
		return;
	for (unsigned int i = 0; i < READAHEAD_UNITS; i++) {
		err_free(ra->units[i].req.result);
		free(ra->units[i].data);
	}
	pthread_cond_destroy(&ra->ready);
	pthread_mutex_destroy(&ra->lock);
	free(ra);
}

/* The unit of this number, or the one that nobody holds and was asked for
 * longest ago, or NULL. */
static struct unit *find(struct readahead *ra, uint64_t number)
{
	struct unit *best = NULL;

	for (unsigned int i = 0; i < READAHEAD_UNITS; i++) {
		struct unit *u = &ra->units[i];

		if (u->state != UNIT_EMPTY && u->number == number)
			return u;
		if (!u->held && u->state != UNIT_READING && (!best || u->used < best->used))
			best = u;
	}
	return best;
}

/* Where in its buffer a unit's bytes begin: the slots are not read. */
static size_t unit_skip(uint64_t number)
{
	return number ? 0 : SLOT_DATA_START;
}

struct unit *readahead_get(struct readahead *ra, uint64_t offset)
{
	uint64_t number = offset / READAHEAD_BYTES;
	size_t skip = unit_skip(number);
	bool begin = false;
	struct unit *u;

	pthread_mutex_lock(&ra->lock);
	u = find(ra, number);
	ra->starved = !u;
	if (u) {
		begin = u->state == UNIT_EMPTY || u->number != number;
		if (begin)
			u->state = UNIT_READING;
		u->number = number;
		u->held++;
		u->used = ++ra->calls;
	}
	pthread_mutex_unlock(&ra->lock);
	if (!begin)
		return u;
	err_free(u->req.result); /* of what it was before */
	u->req.buf = u->data + skip;
	u->req.offset = number * READAHEAD_BYTES + skip;
	u->req.n = min_u64(READAHEAD_BYTES - skip, ra->end - u->req.offset);
	u->req.write = false;
	aio_submit(ra->aio, &u->req);
	return u;
}

void readahead_read(struct readahead *ra, struct aio_request *req)
{
	struct unit *u = (struct unit *)req; /* its first member */

	pthread_mutex_lock(&ra->lock);
	u->state = req->result ? UNIT_FAILED : UNIT_READY;
	ra->total += req->result ? 0 : req->n;
	pthread_cond_broadcast(&ra->ready);
	pthread_mutex_unlock(&ra->lock);
}

err_t readahead_await(struct readahead *ra, struct unit *unit)
{
	err_t e = NULL;

	pthread_mutex_lock(&ra->lock);
	while (unit->state == UNIT_READING && !halted(ra->halt))
		pthread_cond_wait(&ra->ready, &ra->lock);
	if (unit->state == UNIT_FAILED)
		e = err_new(err_kind(unit->req.result), "%s", err_text(unit->req.result));
	else if (unit->state != UNIT_READY)
		e = err_new(ERR_ABORTED, "reading was stopped");
	pthread_mutex_unlock(&ra->lock);
	return e;
}

const uint8_t *readahead_bytes(const struct unit *unit, uint64_t offset, size_t *n)
{
	size_t at = offset % READAHEAD_BYTES;

	*n = min_u64(*n, READAHEAD_BYTES - at);
	return unit->data + at;
}

void readahead_put(struct readahead *ra, struct unit *unit)
{
	bool wake;

	pthread_mutex_lock(&ra->lock);
	unit->held--;
	wake = !unit->held && ra->starved;
	if (wake)
		ra->starved = false;
	pthread_mutex_unlock(&ra->lock);
	if (wake)
		aio_wake(ra->aio);
}

uint64_t readahead_total(struct readahead *ra)
{
	uint64_t n;

	pthread_mutex_lock(&ra->lock);
	n = ra->total;
	pthread_mutex_unlock(&ra->lock);
	return n;
}

void readahead_wake(struct readahead *ra)
{
	pthread_mutex_lock(&ra->lock);
	pthread_cond_broadcast(&ra->ready);
	pthread_mutex_unlock(&ra->lock);
}
