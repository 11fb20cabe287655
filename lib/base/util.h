/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* The page size of x86_64: of the host, the writer and the image alike. */
#define PAGE_BYTES 4096u
#define PAGE_BITS  12

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline uint64_t align_down(uint64_t x, uint64_t to)
{
	return x & ~(to - 1);
}

static inline uint64_t align_up(uint64_t x, uint64_t to)
{
	return align_down(x + to - 1, to);
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline void util_free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void util_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define CLEANUP_FREE  __attribute__((cleanup(util_free_ptr)))
#define CLEANUP_CLOSE __attribute__((cleanup(util_close_fd)))

#endif
