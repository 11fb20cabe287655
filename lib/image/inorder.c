/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/inorder.h"

#include "image/alloc.h"

#include <stdlib.h>

/* Enough that threads go on through 128 MiB while one is held up; 0.5 MiB of chunks. */
#define RING 256u

struct inorder {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t moved;
	struct halt *halt;
	err_t (*emit)(void *arg, const struct chunk *chunk);
	void *arg;
	uint64_t blocks, taken, emitted; /* emitted <= taken <= emitted + RING */
	bool done[RING];
	struct chunk chunks[RING];
};

err_t inorder_create(uint64_t blocks, struct halt *halt,
		     err_t (*emit)(void *arg, const struct chunk *chunk), void *arg,
		     struct inorder **out)
{
	struct inorder *o = alloc_now(sizeof(*o));

	if (!o)
		return err_new(ERR_NOMEM, "ring of chunks");
	o->blocks = blocks;
	o->halt = halt;
	o->emit = emit;
	o->arg = arg;
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->moved, NULL);
	*out = o;
	return NULL;
}

void inorder_destroy(struct inorder *o)
{
	if (!o)
		return;
	pthread_cond_destroy(&o->moved);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

bool inorder_take(struct inorder *o, uint64_t *block, struct chunk **chunk)
{
	bool got;

	pthread_mutex_lock(&o->lock);
	while (o->taken < o->blocks && o->taken == o->emitted + RING && !halted(o->halt))
		pthread_cond_wait(&o->moved, &o->lock);
	got = o->taken < o->blocks && !halted(o->halt);
	if (got) {
		*block = o->taken++;
		*chunk = &o->chunks[*block % RING];
		o->done[*block % RING] = false;
	}
	pthread_mutex_unlock(&o->lock);
	return got;
}

err_t inorder_done(struct inorder *o, uint64_t block)
{
	err_t e = NULL;

	pthread_mutex_lock(&o->lock);
	o->done[block % RING] = true;
	while (!e && o->emitted < o->taken && o->done[o->emitted % RING]) {
		const struct chunk *c = &o->chunks[o->emitted++ % RING];

		if (c->run_count)
			e = o->emit(o->arg, c);
	}
	pthread_cond_broadcast(&o->moved);
	pthread_mutex_unlock(&o->lock);
	return e;
}

void inorder_wake(struct inorder *o)
{
	pthread_mutex_lock(&o->lock);
	pthread_cond_broadcast(&o->moved);
	pthread_mutex_unlock(&o->lock);
}
