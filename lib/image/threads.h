/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Worker threads of the pipeline, and the beat of the thread that attends them. */
#ifndef IMAGE_THREADS_H
#define IMAGE_THREADS_H

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_THREADS_MAX 64u

/* One for each CPU that is online: at least 1, at most so many. */
unsigned int threads_for_cpus(unsigned int most);

/*
 * Start main(args + i * arg_bytes) for i < count. *started: how many run, fewer
 * than count on an error.
 */
err_t threads_start(pthread_t *threads, unsigned int count, void *(*main)(void *), void *args,
		    size_t arg_bytes, unsigned int *started) ERR_CHECK;
void threads_join(const pthread_t *threads, unsigned int started);

/* Ten times a second. */
struct ticker {
	uint64_t next_ms;
};

void ticker_init(struct ticker *t);

/* Is it time? If so, the next time is set. */
bool ticker_due(struct ticker *t);

/* Milliseconds until then. */
unsigned int ticker_left(const struct ticker *t);

#endif
