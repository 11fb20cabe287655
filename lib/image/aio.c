/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With io_uring, a request goes to the kernel in parts, each contiguous on the device. Up to
 * PARTS of them are in flight, of whatever requests, handed over together: so the many small
 * extents of a scattered target cost little more than one large one. What comes back short
 * goes there again; a request is finished when nothing of it is in flight and nothing left.
 *
 * Only the thread that calls aio_wait hands requests to the kernel: what a
 * thread has in flight is cancelled when it ends (kernel: io_uring/io_uring.c,
 * io_uring_cancel_generic), and it would be interrupted at its work by each
 * completion. Other threads put requests into a list, and wake it with a NOP;
 * for that the submission side is under a lock.
 */
#include "image/aio.h"

#include "base/util.h"

#include <errno.h>
#include <liburing.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PARTS	     64u	 /* in flight, at most */
#define RING_ENTRIES (2 * PARTS) /* parts, and NOPs */
#define SUBMIT_TRIES 1000	 /* a millisecond apart */

struct request_list {
	struct aio_request *first, **tail;
};

/* So much of a request as is on its way to or from one place. */
struct part {
	struct aio_request *req;
	uint64_t offset; /* in the request */
	uint64_t place;
	uint64_t n;
	struct part *next; /* while it is free, or about to be handed over */
};

struct aio {
	const struct target *target;
	struct part parts[PARTS];   /* these, up to active, are the waiting thread's */
	struct part *free;	    /* not in use */
	struct part *again;	    /* came back short */
	unsigned int in_flight;	    /* in the kernel */
	struct request_list active; /* something of them was not handed over yet */
	bool has_ring;
	struct io_uring ring;
	pthread_mutex_t submit_lock; /* submission side of the ring, and broken */
	bool broken;		     /* it did not take a request, and holds it still */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t event; /* instead of a NOP, when there is no ring */
	struct request_list pending, finished;
	bool woken, sleeping;
};

static void list_init(struct request_list *l)
{
	l->first = NULL;
	l->tail = &l->first;
}

static void list_add(struct request_list *l, struct aio_request *req)
{
	req->next = NULL;
	*l->tail = req;
	l->tail = &req->next;
}

static struct aio_request *list_take(struct request_list *l)
{
	struct aio_request *req = l->first;

	if (req && !(l->first = req->next))
		l->tail = &l->first;
	return req;
}

static void part_push(struct part **list, struct part *p)
{
	p->next = *list;
	*list = p;
}

static struct part *part_pop(struct part **list)
{
	struct part *p = *list;

	if (p)
		*list = p->next;
	return p;
}

static bool ring_init(struct io_uring *ring)
{
	if (io_uring_queue_init(RING_ENTRIES, ring, 0))
		return false;
	/* Without it, waiting with a time limit would touch the submission side. */
	if (ring->features & IORING_FEAT_EXT_ARG)
		return true;
	io_uring_queue_exit(ring);
	return false;
}

err_t aio_create(const struct target *target, bool sync, struct aio **out)
{
	struct aio *a = calloc(1, sizeof(*a));
	pthread_condattr_t attr;

	if (!a)
		return err_new(ERR_NOMEM, "input and output");
	a->target = target;
	list_init(&a->active);
	list_init(&a->pending);
	list_init(&a->finished);
	for (size_t i = 0; i < PARTS; i++)
		part_push(&a->free, &a->parts[i]);
	/* A simulated device has no descriptor that the kernel could use. */
	a->has_ring = !sync && target->fd >= 0 && ring_init(&a->ring);
	pthread_mutex_init(&a->submit_lock, NULL);
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->event, &attr);
	pthread_condattr_destroy(&attr);
	*out = a;
	return NULL;
}

/* All that is queued goes to the kernel; under submit_lock. Negative: -errno. */
static int ring_submit(struct aio *a)
{
	int r = 0;

	/* Retried when the kernel is short of memory for a request. */
	for (int i = 0; i < SUBMIT_TRIES && io_uring_sq_ready(&a->ring); i++) {
		r = io_uring_submit(&a->ring);
		if (r < 0 && r != -EAGAIN && r != -EBUSY && r != -EINTR)
			break;
		if (r <= 0)
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	if (!io_uring_sq_ready(&a->ring))
		return 0;
	a->broken = true;
	return r < 0 ? r : -EIO;
}

static void ring_put_nop(struct aio *a)
{
	struct io_uring_sqe *sqe;

	pthread_mutex_lock(&a->submit_lock);
	if (!a->broken && (sqe = io_uring_get_sqe(&a->ring))) {
		io_uring_prep_nop(sqe);
		io_uring_sqe_set_data(sqe, NULL);
		ring_submit(a);
	}
	pthread_mutex_unlock(&a->submit_lock);
}

/* Under a->lock; true when a NOP must be sent once it is released. */
static bool wake_locked(struct aio *a)
{
	bool was_sleeping = a->sleeping;

	a->sleeping = false;
	if (!a->has_ring)
		pthread_cond_signal(&a->event);
	return a->has_ring && was_sleeping;
}

void aio_wake(struct aio *a)
{
	bool nop;

	pthread_mutex_lock(&a->lock);
	a->woken = true;
	nop = wake_locked(a);
	pthread_mutex_unlock(&a->lock);
	if (nop)
		ring_put_nop(a);
}

void aio_submit(struct aio *a, struct aio_request *req)
{
	bool nop;

	req->started = 0;
	req->parts = 0;
	req->result = NULL;
	if (!a->has_ring)
		req->result = req->write ? target_write(a->target, req->buf, req->n, req->offset)
					 : target_read(a->target, req->buf, req->n, req->offset);
	pthread_mutex_lock(&a->lock);
	list_add(a->has_ring ? &a->pending : &a->finished, req);
	nop = wake_locked(a);
	pthread_mutex_unlock(&a->lock);
	if (nop)
		ring_put_nop(a);
}

static err_t transfer_error(const struct aio *a, const struct part *p, int res)
{
	unsigned long long at = p->req->offset + p->offset;
	const char *verb = p->req->write ? "writing" : "reading";

	if (!res)
		return err_new(ERR_IO, "%s %s: it ends at byte %llu of the image", verb,
			       a->target->name, at);
	errno = -res;
	return err_errno("%s %s at byte %llu of the image", verb, a->target->name, at);
}

/* Nothing of it is left, and nothing in flight? Then it can be handed back. */
static void request_settle(struct aio *a, struct aio_request *req)
{
	if (req->parts || req->started < req->n)
		return;
	pthread_mutex_lock(&a->lock);
	list_add(&a->finished, req);
	pthread_mutex_unlock(&a->lock);
}

/* Nothing more of it is handed over. Only the first of the active ones can have parts. */
static void request_fail(struct aio *a, struct aio_request *req, err_t e)
{
	req->result = err_first(req->result, e);
	req->started = req->n;
	if (a->active.first == req)
		list_take(&a->active);
}

/* A part is done with, for good or ill. */
static void part_end(struct aio *a, struct part *p)
{
	struct aio_request *req = p->req;

	part_push(&a->free, p);
	req->parts--;
	request_settle(a, req);
}

/* The next one to be handed over: NULL when there is none, or no room for it. */
static struct part *next_part(struct aio *a)
{
	struct part *p = part_pop(&a->again);
	struct aio_request *req;

	while (!p && a->free && (req = a->active.first)) {
		uint64_t place, n;
		err_t e = target_map(a->target, req->offset + req->started, req->n - req->started,
				     &place, &n);

		if (e) {
			request_fail(a, req, e);
			request_settle(a, req);
			continue;
		}
		p = part_pop(&a->free);
		*p = (struct part){.req = req, .offset = req->started, .place = place, .n = n};
		req->parts++;
		req->started += n;
		if (req->started == req->n)
			list_take(&a->active);
	}
	return p;
}

static bool prepare(struct aio *a, struct part *p)
{
	struct io_uring_sqe *sqe = a->broken ? NULL : io_uring_get_sqe(&a->ring);
	uint8_t *buf = (uint8_t *)p->req->buf + p->offset;

	if (!sqe)
		return false;
	if (p->req->write)
		io_uring_prep_write(sqe, a->target->fd, buf, (unsigned int)p->n, p->place);
	else
		io_uring_prep_read(sqe, a->target->fd, buf, (unsigned int)p->n, p->place);
	io_uring_sqe_set_data(sqe, p);
	return true;
}

/* As many parts as there are, in one go. The kernel takes them in their order: what it did
 * not take are the last ones. */
static void hand_over(struct aio *a)
{
	struct part *queued[PARTS], *p;
	unsigned int n = 0, taken = 0;
	int r = -EIO;

	pthread_mutex_lock(&a->submit_lock);
	while (n < PARTS && (p = next_part(a))) {
		queued[n++] = p;
		taken += prepare(a, p);
	}
	if (taken) {
		r = ring_submit(a);
		taken -= (unsigned int)min_u64(taken, io_uring_sq_ready(&a->ring));
	}
	pthread_mutex_unlock(&a->submit_lock);
	a->in_flight += taken;
	for (unsigned int i = taken; i < n; i++) {
		errno = -r;
		request_fail(a, queued[i]->req,
			     err_errno("starting input or output on %s", a->target->name));
		part_end(a, queued[i]);
	}
}

static void part_done(struct aio *a, struct part *p, int res)
{
	struct aio_request *req = p->req;

	a->in_flight--;
	if (res <= 0 && res != -EINTR && res != -EAGAIN)
		request_fail(a, req, transfer_error(a, p, res));
	if (res > 0) {
		p->offset += (uint64_t)res;
		p->place += (uint64_t)res;
		p->n -= (uint64_t)res;
	}
	if (p->n && !req->result)
		part_push(&a->again, p);
	else
		part_end(a, p);
}

/*
 * Something to do that is no completion: 1 with *out finished, -1 to return
 * without any, 0 when there is nothing, and then we count as sleeping.
 */
static int take_listed(struct aio *a, struct aio_request **out)
{
	for (;;) {
		struct aio_request *pending;
		bool start;
		int r = 0;

		pthread_mutex_lock(&a->lock);
		while ((pending = list_take(&a->pending)))
			list_add(&a->active, pending);
		start = a->again || (a->active.first && a->free);
		if (!start && (*out = list_take(&a->finished)))
			r = 1;
		else if (!start && a->woken)
			r = -1;
		a->sleeping = !start && !r;
		a->woken = a->woken && r >= 0;
		pthread_mutex_unlock(&a->lock);
		if (!start)
			return r;
		hand_over(a);
	}
}

static struct aio_request *ring_wait(struct aio *a, unsigned int timeout_ms)
{
	struct __kernel_timespec limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000000};

	for (;;) {
		struct aio_request *req;
		struct io_uring_cqe *cqe;
		int r = take_listed(a, &req);

		if (r)
			return r > 0 ? req : NULL;
		/* A peek first: it costs no system call. */
		if (io_uring_peek_cqe(&a->ring, &cqe) &&
		    (!timeout_ms || io_uring_wait_cqe_timeout(&a->ring, &cqe, &limit)))
			return NULL;
		/* All that came back, so that what follows is handed over together. */
		do {
			struct part *p = io_uring_cqe_get_data(cqe);
			int res = cqe->res;

			io_uring_cqe_seen(&a->ring, cqe);
			if (p)
				part_done(a, p, res);
		} while (!io_uring_peek_cqe(&a->ring, &cqe));
	}
}

static struct aio_request *list_wait(struct aio *a, unsigned int timeout_ms)
{
	struct aio_request *req;
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&a->lock);
	while (!a->finished.first && !a->woken && !r && timeout_ms)
		r = pthread_cond_timedwait(&a->event, &a->lock, &until);
	req = list_take(&a->finished);
	a->woken = a->woken && req;
	pthread_mutex_unlock(&a->lock);
	return req;
}

struct aio_request *aio_wait(struct aio *a, unsigned int timeout_ms)
{
	return a->has_ring ? ring_wait(a, timeout_ms) : list_wait(a, timeout_ms);
}

/* A list's requests are nobody's any more. */
static void list_drop(struct request_list *l)
{
	struct aio_request *req;

	while ((req = list_take(l)))
		err_free(req->result);
}

/* Nothing more of it is started; it is finished when nothing of it is in flight. */
static void request_drop(struct aio *a)
{
	struct aio_request *req = list_take(&a->active);

	req->started = req->n;
	request_settle(a, req);
}

void aio_destroy(struct aio *a)
{
	struct part *p;

	if (!a)
		return;
	list_drop(&a->pending);
	while (a->active.first)
		request_drop(a);
	while ((p = part_pop(&a->again)))
		part_end(a, p);
	while (a->in_flight) {
		struct aio_request *req = aio_wait(a, 1000);

		if (req)
			err_free(req->result);
	}
	list_drop(&a->finished);
	if (a->has_ring)
		io_uring_queue_exit(&a->ring);
	pthread_cond_destroy(&a->event);
	pthread_mutex_destroy(&a->lock);
	pthread_mutex_destroy(&a->submit_lock);
	free(a);
}
