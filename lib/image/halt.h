/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first error of many threads, and the sign for all of them to stop. */
#ifndef IMAGE_HALT_H
#define IMAGE_HALT_H

#include "base/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct halt {
	pthread_mutex_t lock;
	atomic_bool stop;
	err_t first; /* owned */
};

static inline void halt_init(struct halt *h)
{
	pthread_mutex_init(&h->lock, NULL);
	atomic_init(&h->stop, false);
	h->first = NULL;
}

static inline void halt_deinit(struct halt *h)
{
	err_free(h->first);
	pthread_mutex_destroy(&h->lock);
}

/* Stop, because of e (taken over, not NULL). Waking who sleeps is the caller's. */
static inline void halt_take(struct halt *h, err_t e)
{
	pthread_mutex_lock(&h->lock);
	h->first = err_first(h->first, e);
	pthread_mutex_unlock(&h->lock);
	atomic_store(&h->stop, true);
}

static inline bool halted(struct halt *h)
{
	return atomic_load_explicit(&h->stop, memory_order_relaxed);
}

/* The first error, now the caller's; NULL when there was none. */
static inline err_t halt_result(struct halt *h)
{
	err_t e = h->first;

	h->first = NULL;
	return e;
}

#endif
