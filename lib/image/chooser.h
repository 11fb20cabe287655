/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The codec of each chunk. Where the user has named one it is that; with "auto"
 * the candidates (codec_candidates) take turns in the first second, while CPU
 * time, sizes and the target's speed are measured; then the one is picked that
 * gets the most memory per second onto this target with this many threads.
 */
#ifndef IMAGE_CHOOSER_H
#define IMAGE_CHOOSER_H

#include "codec/codec.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHOOSER_CANDIDATES 8u

/* What was measured of one candidate. */
struct chooser_trial {
	uint64_t chunks, raw, stored, ns; /* ns: CPU time */
};

struct chooser {
	const struct codec_choice *candidates;
	size_t count;
	unsigned int threads;
	atomic_int picked; /* number of the candidate; below 0: on trial */
	atomic_uint turn;
	struct {
		atomic_uint_fast64_t chunks, raw, stored, ns;
	} trials[CHOOSER_CANDIDATES];
};

/* choice is borrowed. */
void chooser_init(struct chooser *c, const struct codec_choice *choice, unsigned int threads);

/* For the next chunk; from any thread. *measure: tell chooser_note what it took. */
const struct codec_choice *chooser_next(struct chooser *c, bool *measure);
void chooser_note(struct chooser *c, const struct codec_choice *choice, uint64_t raw,
		  uint64_t stored, uint64_t ns);

/*
 * Is it time to pick? elapsed_ms since the beginning; written: bytes that the
 * target took in busy_ns. By one thread.
 */
void chooser_consider(struct chooser *c, uint64_t elapsed_ms, uint64_t written, uint64_t busy_ns);

/* The one that is in use for all chunks from now on; NULL while on trial. */
const struct codec_choice *chooser_picked(struct chooser *c);

/*
 * The decision by itself: number of the candidate with the highest throughput,
 * the CPU's or the target's (bytes per second), whichever is lower; of those
 * within 3 % of it the one with the smallest image. Candidates without data are
 * left out; with none at all, 0.
 */
size_t chooser_pick(const struct chooser_trial *trials, size_t count, unsigned int threads,
		    double target_speed);

#endif
