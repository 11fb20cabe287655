/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How fast the time stamp counter runs: told to the writer kernel, which then
 * need not measure it (tsc_early_khz= and lpj=, two tenths of a second where the
 * CPU does not tell).
 */
#ifndef JUMP_TSC_H
#define JUMP_TSC_H

#include <stdint.h>

struct tsc_sample {
	uint64_t tsc;
	uint64_t ns; /* CLOCK_MONOTONIC_RAW */
};

struct tsc_sample tsc_now(void);

/* From a sample taken before, some milliseconds ago; 0 when the kernel itself
 * does not trust the counter (its clock source is another one) or too little
 * time has passed. */
uint32_t tsc_khz(const struct tsc_sample *before);

#endif
