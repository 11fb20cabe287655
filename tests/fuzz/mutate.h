/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Changes to record blocks (docs/image-format.md, "Record blocks"). Bytes changed
 * blindly nearly always break a length, and nothing behind the first such break is
 * ever tried; so one record is changed, or its length, and the others stay whole.
 */
#ifndef MUTATE_H
#define MUTATE_H

#include "fuzz.h"

#define MUTATE_RECORDS 64u
#define MUTATE_MAX     (128u << 10)

size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned int seed);

struct mutate_block {
	unsigned int count;
	struct {
		uint32_t tag;
		size_t n;
		const uint8_t *p;
	} r[MUTATE_RECORDS];
};

static inline unsigned int mutate_random(unsigned int *seed, unsigned int below)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 8) % below;
}

/* The records of a block; false when there is none, or it is no block. */
static inline bool mutate_parse(const uint8_t *p, size_t n, struct mutate_block *b)
{
	size_t at = 16;

	b->count = 0;
	while (n >= 24 && b->count < MUTATE_RECORDS && at + 8 <= n - 8) {
		size_t bytes = fuzz_get32(p + at + 4);

		if (bytes > n - 8 - at - 8)
			break;
		b->r[b->count].tag = fuzz_get32(p + at);
		b->r[b->count].n = bytes;
		b->r[b->count++].p = p + at + 8;
		at += 8 + (bytes + 7) / 8 * 8;
	}
	return b->count > 0;
}

/* Put it together again behind its first 16 bytes; 0 when it does not fit. */
static inline size_t mutate_build(uint8_t *out, size_t max, const struct mutate_block *b)
{
	size_t at = 16;

	for (unsigned int i = 0; i < b->count; i++) {
		size_t whole = (b->r[i].n + 7) / 8 * 8;

		if (max < 24 || at + 8 + whole > max - 8)
			return 0;
		fuzz_put32(out + at, b->r[i].tag);
		fuzz_put32(out + at + 4, (uint32_t)b->r[i].n);
		memset(out + at + 8, 0, whole);
		memcpy(out + at + 8, b->r[i].p, b->r[i].n);
		at += 8 + whole;
	}
	memset(out + at, 0, 8);
	fuzz_fix_block(out, at + 8);
	return at + 8;
}

/* One record's content, or its tag, or which records there are. room: for content. */
static inline void mutate_record(struct mutate_block *b, uint8_t *room, unsigned int *seed)
{
	unsigned int i = mutate_random(seed, b->count), j = mutate_random(seed, b->count);
	unsigned int what = mutate_random(seed, 12);

	if (what == 0 && b->count > 1) {
		b->r[i] = b->r[--b->count];
	} else if (what == 1 && b->count < MUTATE_RECORDS) {
		b->r[b->count++] = b->r[i];
	} else if (what == 2) {
		b->r[i].p = b->r[j].p;
		b->r[i].n = b->r[j].n;
	} else if (what == 3) {
		b->r[i].tag = mutate_random(seed, 24) | mutate_random(seed, 2) << 31;
	} else if (what == 4) {
		b->r[i].n = mutate_random(seed, (unsigned int)b->r[i].n + 1);
	} else {
		memcpy(room, b->r[i].p, b->r[i].n);
		b->r[i].n = LLVMFuzzerMutate(room, b->r[i].n, b->r[i].n + 128);
		b->r[i].p = room;
	}
}

/* Change a block in place; returns its new length. A record may be a block too. */
static inline size_t mutate_block(uint8_t *p, size_t n, size_t max, unsigned int *seed)
{
	static uint8_t copy[MUTATE_MAX], room[MUTATE_MAX];
	struct mutate_block b;
	size_t bytes;

	if (n > sizeof(copy) - 256 || mutate_random(seed, 8) == 0)
		return LLVMFuzzerMutate(p, n, max);
	memcpy(copy, p, n);
	if (!mutate_parse(copy, n, &b))
		return LLVMFuzzerMutate(p, n, max);
	for (unsigned int i = 0; i < b.count; i++)
		if (b.r[i].n >= 24 && !memcmp(b.r[i].p, "DORM-", 5) && mutate_random(seed, 2)) {
			static uint8_t inner[MUTATE_MAX];
			struct mutate_block in;

			memcpy(inner, b.r[i].p, b.r[i].n);
			if (!mutate_parse(b.r[i].p, b.r[i].n, &in))
				break;
			mutate_record(&in, room, seed);
			b.r[i].n = mutate_build(inner, sizeof(inner), &in);
			b.r[i].p = inner;
			bytes = mutate_build(p, max, &b);
			return bytes ? bytes : n;
		}
	mutate_record(&b, room, seed);
	bytes = mutate_build(p, max, &b);
	return bytes ? bytes : n;
}

#endif
