/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IMAGEWRITER_CLOCK_H
#define IMAGEWRITER_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since a time of CLOCK_MONOTONIC. */
static inline uint32_t clock_ms_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)((now.tv_sec - then->tv_sec) * 1000 +
			  (now.tv_nsec - then->tv_nsec) / 1000000);
}

#endif
