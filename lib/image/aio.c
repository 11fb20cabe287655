/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With io_uring, a request goes to the kernel as its first part that is
 * contiguous on the device; when that comes back, whole or short, the next
 * part follows. So extents and short transfers are one case, and requests
 * run beside each other.
 *
 * Only the thread that calls aio_wait hands requests to the kernel: what a
 * thread has in flight is cancelled when it ends (kernel: io_uring/io_uring.c,
 * io_uring_cancel_generic), and it would be interrupted at its work by each
 * completion. Other threads put requests into a list, and wake it with a NOP;
 * for that the submission side is under a lock.
 */
#include "image/aio.h"

#include <errno.h>
#include <liburing.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RING_ENTRIES (2 * AIO_DEPTH) /* requests, and a NOP */
#define SUBMIT_TRIES 1000	     /* a millisecond apart */

struct request_list {
	struct aio_request *first, **tail;
};

struct aio {
	const struct target *target;
	unsigned int in_flight; /* in the kernel; of the waiting thread */
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
	list_init(&a->pending);
	list_init(&a->finished);
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

/* What is queued goes to the kernel; under submit_lock. Negative: -errno. */
static int ring_submit(struct aio *a)
{
	int r = 0;

	/* Retried when the kernel is short of memory for the request. */
	for (int i = 0; i < SUBMIT_TRIES; i++) {
		r = io_uring_submit(&a->ring);
		if (r != -EAGAIN && r != -EBUSY && r != -EINTR)
			break;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	a->broken = r < 0;
	return r;
}

/* A request of its own for the kernel; req NULL: a NOP. Negative: -errno. */
static int ring_put(struct aio *a, struct aio_request *req, uint64_t place, uint64_t n)
{
	struct io_uring_sqe *sqe;
	int r = -EIO;

	pthread_mutex_lock(&a->submit_lock);
	if (!a->broken && (sqe = io_uring_get_sqe(&a->ring))) {
		if (!req)
			io_uring_prep_nop(sqe);
		else if (req->write)
			io_uring_prep_write(sqe, a->target->fd, (uint8_t *)req->buf + req->done,
					    (unsigned int)n, place);
		else
			io_uring_prep_read(sqe, a->target->fd, (uint8_t *)req->buf + req->done,
					   (unsigned int)n, place);
		io_uring_sqe_set_data(sqe, req);
		r = ring_submit(a);
	}
	pthread_mutex_unlock(&a->submit_lock);
	return r;
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
		ring_put(a, NULL, 0, 0);
}

void aio_submit(struct aio *a, struct aio_request *req)
{
	bool nop;

	req->done = 0;
	req->result = NULL;
	if (!a->has_ring)
		req->result = req->write ? target_write(a->target, req->buf, req->n, req->offset)
					 : target_read(a->target, req->buf, req->n, req->offset);
	pthread_mutex_lock(&a->lock);
	list_add(a->has_ring ? &a->pending : &a->finished, req);
	nop = wake_locked(a);
	pthread_mutex_unlock(&a->lock);
	if (nop)
		ring_put(a, NULL, 0, 0);
}

/* The next contiguous part of a request to the kernel. False: it is finished. */
static bool start_part(struct aio *a, struct aio_request *req)
{
	uint64_t place, n;
	int r;

	req->result =
		target_map(a->target, req->offset + req->done, req->n - req->done, &place, &n);
	if (req->result)
		return false;
	r = ring_put(a, req, place, n);
	if (r < 0) {
		errno = -r;
		req->result = err_errno("starting input or output on %s", a->target->name);
		return false;
	}
	a->in_flight++;
	return true;
}

static err_t transfer_error(const struct aio *a, const struct aio_request *req, int res)
{
	unsigned long long at = req->offset + req->done;
	const char *verb = req->write ? "writing" : "reading";

	if (!res)
		return err_new(ERR_IO, "%s %s: it ends at byte %llu of the image", verb,
			       a->target->name, at);
	errno = -res;
	return err_errno("%s %s at byte %llu of the image", verb, a->target->name, at);
}

/* A part came back. False: the request is finished. */
static bool part_done(struct aio *a, struct aio_request *req, int res)
{
	a->in_flight--;
	if (res <= 0 && res != -EINTR && res != -EAGAIN) {
		req->result = transfer_error(a, req, res);
		return false;
	}
	if (res > 0)
		req->done += (size_t)res;
	return req->done < req->n && start_part(a, req);
}

/*
 * Something to do that is no completion: 1 with *out finished, -1 to return
 * without any, 0 when there is nothing, and then we count as sleeping.
 */
static int take_listed(struct aio *a, struct aio_request **out)
{
	for (;;) {
		struct aio_request *pending;
		int r = 0;

		pthread_mutex_lock(&a->lock);
		pending = list_take(&a->pending);
		if (!pending && (*out = list_take(&a->finished)))
			r = 1;
		else if (!pending && a->woken)
			r = -1;
		a->sleeping = !pending && !r;
		a->woken = a->woken && r >= 0;
		pthread_mutex_unlock(&a->lock);
		if (!pending)
			return r;
		if (!start_part(a, pending)) {
			*out = pending;
			return 1;
		}
	}
}

static struct aio_request *ring_wait(struct aio *a, unsigned int timeout_ms)
{
	struct __kernel_timespec limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000000};

	for (;;) {
		struct aio_request *req;
		struct io_uring_cqe *cqe;
		int res = take_listed(a, &req);

		if (res)
			return res > 0 ? req : NULL;
		/* A peek first: it costs no system call. */
		if (io_uring_peek_cqe(&a->ring, &cqe) &&
		    (!timeout_ms || io_uring_wait_cqe_timeout(&a->ring, &cqe, &limit)))
			return NULL;
		req = io_uring_cqe_get_data(cqe);
		res = cqe->res;
		io_uring_cqe_seen(&a->ring, cqe);
		if (req && !part_done(a, req, res))
			return req;
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

void aio_destroy(struct aio *a)
{
	if (!a)
		return;
	list_drop(&a->pending);
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
