/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading an image takes 13 MiB of buffers, whose pages the kernel makes anew each
 * time: nine tenths of a run of a small image. Here large buffers are kept and
 * handed out again; while nobody has one, touching it is found as ever. Linked in
 * by --wrap (Makefile).
 */
#ifndef RECYCLE_H
#define RECYCLE_H

#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stddef.h>

#define RECYCLE_MIN ((size_t)256 << 10)
#define RECYCLE_MAX 64

void *__real_aligned_alloc(size_t align, size_t n);
void __real_free(void *p);
void *__wrap_aligned_alloc(size_t align, size_t n);
void __wrap_free(void *p);

static struct {
	pthread_mutex_t lock;
	unsigned int count;
	struct {
		void *p;
		size_t n;
		bool taken;
	} b[RECYCLE_MAX];
} recycle = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* One of this size that is free, or a place in the list for a new one. */
static void *recycle_get(size_t align, size_t n)
{
	unsigned int i = 0;

	while (i < recycle.count && (recycle.b[i].taken || recycle.b[i].n != n))
		i++;
	if (i == RECYCLE_MAX)
		return NULL;
	if (i == recycle.count) {
		recycle.b[i].p = __real_aligned_alloc(align, n);
		recycle.b[i].n = n;
		recycle.count += recycle.b[i].p != NULL;
	}
	recycle.b[i].taken = recycle.b[i].p != NULL;
	__asan_unpoison_memory_region(recycle.b[i].p, n);
	return recycle.b[i].p;
}

/* Is it one of ours? Then it is free again. */
static bool recycle_put(void *p)
{
	for (unsigned int i = 0; i < recycle.count; i++)
		if (recycle.b[i].p == p) {
			if (!recycle.b[i].taken)
				abort(); /* freed twice */
			recycle.b[i].taken = false;
			__asan_poison_memory_region(p, recycle.b[i].n);
			return true;
		}
	return false;
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	void *p = NULL;

	if (n >= RECYCLE_MIN) {
		pthread_mutex_lock(&recycle.lock);
		p = recycle_get(align, n);
		pthread_mutex_unlock(&recycle.lock);
	}
	return p ? p : __real_aligned_alloc(align, n);
}

void __wrap_free(void *p)
{
	bool ours;

	pthread_mutex_lock(&recycle.lock);
	ours = p && recycle_put(p);
	pthread_mutex_unlock(&recycle.lock);
	if (!ours)
		__real_free(p);
}

#endif
