/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jump/tsc.h"

#include "base/io.h"
#include "base/util.h"

#include <string.h>
#include <time.h>
#include <x86intrin.h>

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define LEAST_NS    20000000ull

struct tsc_sample tsc_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (struct tsc_sample){__rdtsc(),
				   (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec};
}

static int trusted(void)
{
	CLEANUP_FREE char *text = NULL;
	size_t n;
	err_t e = io_read_file(CLOCKSOURCE, 256, &text, &n);

	if (e) {
		err_free(e);
		return 0;
	}
	return !strncmp(text, "tsc", 3);
}

uint32_t tsc_khz(const struct tsc_sample *before)
{
	struct tsc_sample now = tsc_now();
	uint64_t ns = now.ns - before->ns;

	if (ns < LEAST_NS || !trusted())
		return 0;
	return (uint32_t)((double)(now.tsc - before->tsc) * 1e6 / (double)ns);
}
