/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session/entropy.h"

#include "base/util.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <x86intrin.h>

#define EXTRA_MAX 256
#define CPU_WORDS 8
#define CPU_TRIES 10 /* Intel's manual on RDRAND: ten are enough unless it is broken */

struct seed {
	struct timespec clocks[3];
	uint64_t tsc;
	unsigned long long cpu[CPU_WORDS];
	uint8_t extra[EXTRA_MAX];
};

__attribute__((target("rdrnd"))) static void fill_rdrand(unsigned long long *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (int try = 0; try < CPU_TRIES && !_rdrand64_step(&out[i]); try++)
			;
	}
}

static bool has_rdrand(void)
{
	unsigned int a, b, c = 0, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_RDRND);
}

static void gather(struct seed *s, const void *extra, size_t n)
{
	memset(s, 0, sizeof(*s));
	clock_gettime(CLOCK_REALTIME, &s->clocks[0]);
	clock_gettime(CLOCK_MONOTONIC, &s->clocks[1]);
	clock_gettime(CLOCK_BOOTTIME, &s->clocks[2]);
	s->tsc = __rdtsc();
	if (has_rdrand())
		fill_rdrand(s->cpu, CPU_WORDS);
	memcpy(s->extra, extra, min_u64(n, sizeof(s->extra)));
}

err_t entropy_stir(const void *extra, size_t n)
{
	CLEANUP_CLOSE int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
	struct {
		struct rand_pool_info info;
		struct seed seed;
	} pool = {.info.entropy_count = 0, .info.buf_size = sizeof(struct seed)};
	int r, no;

	if (fd < 0)
		return err_errno("opening /dev/urandom");
	gather(&pool.seed, extra, n);
	r = ioctl(fd, RNDADDENTROPY, &pool);
	if (!r)
		r = ioctl(fd, RNDRESEEDCRNG, 0);
	no = errno;
	explicit_bzero(&pool, sizeof(pool));
	errno = no;
	if (r &&
	    no != ENODATA) /* ENODATA: the pool is not ready yet, and will be seeded with this */
		return err_errno("stirring the kernel's random pool");
	return NULL;
}
