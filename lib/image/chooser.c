/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/chooser.h"

#include "base/util.h"

#include <assert.h>

#define TRIAL_MS      1000
#define ENOUGH_CHUNKS 48	 /* of each candidate, 24 MiB; */
#define ENOUGH_BUSY   50000000	 /* and the target was at work for as many ns, */
#define ENOUGH_BYTES  (16 * MIB) /* and took as many bytes: no need to wait longer */
#define NEAR	      0.97

void chooser_init(struct chooser *c, const struct codec_choice *choice, unsigned int threads)
{
	*c = (struct chooser){.candidates = choice, .count = 1, .threads = threads};
	if (!choice->codec)
		c->candidates = codec_candidates(&c->count);
	assert(c->count <= CHOOSER_CANDIDATES);
	atomic_init(&c->picked, choice->codec ? 0 : -1);
}

const struct codec_choice *chooser_next(struct chooser *c, bool *measure)
{
	int picked = atomic_load_explicit(&c->picked, memory_order_relaxed);

	*measure = picked < 0;
	return &c->candidates[picked < 0 ? atomic_fetch_add(&c->turn, 1) % c->count
					 : (size_t)picked];
}

void chooser_note(struct chooser *c, const struct codec_choice *choice, uint64_t raw,
		  uint64_t stored, uint64_t ns)
{
	size_t i = (size_t)(choice - c->candidates);

	atomic_fetch_add(&c->trials[i].chunks, 1);
	atomic_fetch_add(&c->trials[i].raw, raw);
	atomic_fetch_add(&c->trials[i].stored, stored);
	atomic_fetch_add(&c->trials[i].ns, ns);
}

static double throughput(const struct chooser_trial *t, unsigned int threads, double target_speed)
{
	double cpu = (double)t->raw * 1e9 / (double)max_u64(t->ns, 1) * threads;
	double target = target_speed * (double)t->raw / (double)max_u64(t->stored, 1);

	return cpu < target ? cpu : target;
}

size_t chooser_pick(const struct chooser_trial *trials, size_t count, unsigned int threads,
		    double target_speed)
{
	double best = 0, smallest = 0;
	size_t pick = 0;

	for (size_t i = 0; i < count; i++) {
		double t = trials[i].raw ? throughput(&trials[i], threads, target_speed) : 0;

		best = t > best ? t : best;
	}
	for (size_t i = 0; i < count; i++) {
		double size = (double)trials[i].stored / (double)max_u64(trials[i].raw, 1);

		if (!trials[i].raw || throughput(&trials[i], threads, target_speed) < best * NEAR)
			continue;
		if (smallest == 0 || size < smallest) {
			smallest = size;
			pick = i;
		}
	}
	return pick;
}

void chooser_consider(struct chooser *c, uint64_t elapsed_ms, uint64_t written, uint64_t busy_ns)
{
	struct chooser_trial trials[CHOOSER_CANDIDATES];
	uint64_t fewest = UINT64_MAX;

	if (atomic_load_explicit(&c->picked, memory_order_relaxed) >= 0)
		return;
	for (size_t i = 0; i < c->count; i++) {
		trials[i] = (struct chooser_trial){
			atomic_load(&c->trials[i].chunks), atomic_load(&c->trials[i].raw),
			atomic_load(&c->trials[i].stored), atomic_load(&c->trials[i].ns)};
		fewest = min_u64(fewest, trials[i].chunks);
	}
	if (elapsed_ms < TRIAL_MS &&
	    (fewest < ENOUGH_CHUNKS || busy_ns < ENOUGH_BUSY || written < ENOUGH_BYTES))
		return;
	if (!fewest)
		return; /* nothing of worth in the first second: go on trying */
	atomic_store(&c->picked,
		     (int)chooser_pick(trials, c->count, c->threads,
				       (double)written * 1e9 / (double)max_u64(busy_ns, 1)));
}

const struct codec_choice *chooser_picked(struct chooser *c)
{
	int picked = atomic_load(&c->picked);

	return picked < 0 ? NULL : &c->candidates[picked];
}
