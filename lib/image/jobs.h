/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queue from the feeder, who goes through the index, to the workers: one
 * job for each block, with the read-ahead units that its data lies in.
 */
#ifndef IMAGE_JOBS_H
#define IMAGE_JOBS_H

#include "base/err.h"
#include "formats/index.h"
#include "image/aio.h"
#include "image/halt.h"
#include "image/readahead.h"

#include <stdbool.h>

struct jobs;

struct job {
	struct chunk chunk;
	struct unit *units[2]; /* held by the job; NULL where none is needed */
	bool busy;	       /* the queue's */
};

err_t jobs_create(struct aio *aio, struct halt *halt, struct jobs **out) ERR_CHECK;
void jobs_destroy(struct jobs *q); /* q may be NULL */

/* A job to be filled in, then jobs_put; NULL: the queue is full, and the feeder
 * is woken when it is not any more. By the feeder only. */
struct job *jobs_new(struct jobs *q);
void jobs_put(struct jobs *q);

/* No more will come. */
void jobs_close(struct jobs *q);

/* The next job, waiting for one; NULL: there will be none, or all were halted. */
struct job *jobs_take(struct jobs *q);
void jobs_done(struct jobs *q, struct job *job);

/* After halt_take: whoever waits gives up. */
void jobs_wake(struct jobs *q);

#endif
