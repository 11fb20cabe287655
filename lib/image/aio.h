/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Large reads and writes of a target, several in flight: by io_uring, or one
 * after the other where the kernel does not let us have it (sysctl
 * kernel.io_uring_disabled, seccomp).
 */
#ifndef IMAGE_AIO_H
#define IMAGE_AIO_H

#include "base/err.h"
#include "target/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AIO_DEPTH 16u /* requests in flight, at most */

struct aio;

/* The caller's, from aio_submit until aio_wait hands it back. */
struct aio_request {
	void *buf; /* these three: multiples of 4096 */
	size_t n;
	uint64_t offset; /* in the target's address space */
	bool write;
	err_t result; /* when handed back: NULL, or an error, which the receiver owns */

	size_t started; /* these three are aio's */
	unsigned int parts;
	struct aio_request *next;
};

/* sync: without io_uring, whether the kernel has it or not. */
err_t aio_create(const struct target *target, bool sync, struct aio **out) ERR_CHECK;

/* Waits for what is in flight, as the buffers will be freed next. a may be NULL. */
void aio_destroy(struct aio *a);

/*
 * Start a request, from any thread; the kernel gets it from the thread that
 * calls aio_wait, which is woken. Its failure is found in req->result later.
 */
void aio_submit(struct aio *a, struct aio_request *req);

/*
 * The next request that is finished, whole or with an error; NULL when there
 * is none after timeout_ms, or somebody called aio_wake. By one thread only.
 */
struct aio_request *aio_wait(struct aio *a, unsigned int timeout_ms);

/* Let aio_wait return early, now or when it is next called. From any thread. */
void aio_wake(struct aio *a);

#endif
