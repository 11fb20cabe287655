/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/threads.h"

#include "base/util.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 100u

/* Small, as the writer may have all its memory locked; ours and the codecs'
 * functions need a few KiB. */
#define STACK_BYTES (256u << 10)

unsigned int threads_for_cpus(unsigned int most)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus < 1 ? 1 : (unsigned int)min_u64((uint64_t)cpus, most);
}

err_t threads_start(pthread_t *threads, unsigned int count, void *(*main)(void *), void *args,
		    size_t arg_bytes, unsigned int *started)
{
	pthread_attr_t attr;
	int r = 0;

	*started = 0;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (*started < count) {
		r = pthread_create(&threads[*started], &attr, main,
				   (uint8_t *)args + *started * arg_bytes);
		if (r)
			break;
		++*started;
	}
	pthread_attr_destroy(&attr);
	errno = r;
	return r ? err_errno("starting thread %u of %u", *started + 1, count) : NULL;
}

void threads_join(const pthread_t *threads, unsigned int started)
{
	for (unsigned int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void ticker_init(struct ticker *t)
{
	t->next_ms = now_ms() + TICK_MS;
}

bool ticker_due(struct ticker *t)
{
	uint64_t now = now_ms();

	if (now < t->next_ms)
		return false;
	t->next_ms = now + TICK_MS;
	return true;
}

unsigned int ticker_left(const struct ticker *t)
{
	uint64_t now = now_ms();

	return now < t->next_ms ? (unsigned int)(t->next_ms - now) : 0;
}
