/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/jobs.h"

#include "image/alloc.h"

#define JOBS 128u /* 64 MiB of memory ahead; 0.3 MiB of jobs */

struct jobs {
	struct aio *aio;
	struct halt *halt;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t filled;
	bool starved; /* the feeder found it full */
	bool closed;
	unsigned int put, taken; /* taken <= put; modulo JOBS in the ring */
	struct job ring[JOBS];
};

err_t jobs_create(struct aio *aio, struct halt *halt, struct jobs **out)
{
	struct jobs *q = alloc_now(sizeof(*q));

	if (!q)
		return err_new(ERR_NOMEM, "queue of chunks");
	q->aio = aio;
	q->halt = halt;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->filled, NULL);
	*out = q;
	return NULL;
}

void jobs_destroy(struct jobs *q)
{
	if (!q)
		return;
	pthread_cond_destroy(&q->filled);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

struct job *jobs_new(struct jobs *q)
{
	struct job *job = &q->ring[q->put % JOBS];
	bool free_now;

	pthread_mutex_lock(&q->lock);
	free_now = !job->busy;
	q->starved = !free_now;
	pthread_mutex_unlock(&q->lock);
	return free_now ? job : NULL;
}

void jobs_put(struct jobs *q)
{
	pthread_mutex_lock(&q->lock);
	q->ring[q->put % JOBS].busy = true;
	q->put++;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

void jobs_close(struct jobs *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

struct job *jobs_take(struct jobs *q)
{
	struct job *job = NULL;

	pthread_mutex_lock(&q->lock);
	while (q->taken == q->put && !q->closed && !halted(q->halt))
		pthread_cond_wait(&q->filled, &q->lock);
	if (q->taken != q->put && !halted(q->halt))
		job = &q->ring[q->taken++ % JOBS];
	pthread_mutex_unlock(&q->lock);
	return job;
}

void jobs_done(struct jobs *q, struct job *job)
{
	bool wake;

	pthread_mutex_lock(&q->lock);
	job->busy = false;
	wake = q->starved;
	q->starved = false;
	pthread_mutex_unlock(&q->lock);
	if (wake)
		aio_wake(q->aio);
}

void jobs_wake(struct jobs *q)
{
	pthread_mutex_lock(&q->lock);
	pthread_cond_broadcast(&q->filled);
	pthread_mutex_unlock(&q->lock);
}
