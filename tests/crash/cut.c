/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * States of a place are numbered: none landed; all; all but the last; the last
 * only; then torn ones of the last write, and then random ones.
 */
#include "cut.h"

#include "base/util.h"

#include <stdio.h>
#include <string.h>

enum { NONE_LANDED, ALL_LANDED, LAST_VANISHED, LAST_ONLY, WHOLE_STATES };

#define TEARS 7u /* places at which a write is torn: all of a slot's, some of a longer one */

/* How a write is torn at a place, and whether what came before it landed. */
static const struct {
	bool tail, before;
	const char *words;
} tears[] = {
	{false, true, "the first %u sectors of the last write"},
	{true, true, "all but the first %u sectors of the last write"},
	{false, false, "nothing but the first %u sectors of the last write"},
	{true, false, "nothing but the last write without its first %u sectors"},
};

#define TORN_STATES (TEARS * (unsigned int)ARRAY_LEN(tears))

void cut_init(struct cut *c, const struct disk *disk)
{
	c->disk = disk;
	c->at = 0;
	c->in_flight = false;
	c->first = 0;
	memcpy(c->flushed, disk->start, DISK_BYTES);
}

/* Sectors [from, to) of a write land. */
static void land(const struct disk_op *op, uint32_t from, uint32_t to, uint8_t *out)
{
	if (!op->flush && from < to)
		memcpy(out + op->at + from * SECTOR_BYTES, op->data + from * SECTOR_BYTES,
		       (to - from) * SECTOR_BYTES);
}

static uint32_t sectors(const struct disk_op *op)
{
	return op->n / SECTOR_BYTES;
}

void cut_move(struct cut *c, size_t at, bool in_flight)
{
	const struct disk_op *log = c->disk->log;

	for (; c->at < at; c->at++) {
		if (!log[c->at].flush)
			continue;
		for (; !log[c->at].lost && c->first < c->at; c->first++)
			land(&log[c->first], 0, sectors(&log[c->first]), c->flushed);
		c->first = c->at + 1;
	}
	c->in_flight = in_flight;
}

/* The first operation that had no chance to land. A flush on its way changes
 * nothing: what it is to protect may or may not have landed. */
static size_t end(const struct cut *c)
{
	return c->at + (c->in_flight && !c->disk->log[c->at].flush);
}

unsigned int cut_states(const struct cut *c, unsigned int randoms)
{
	if (end(c) == c->first)
		return 1; /* all is flushed */
	return WHOLE_STATES + TORN_STATES + randoms;
}

static void make_torn(const struct cut *c, unsigned int number, uint8_t *out, char *words,
		      size_t room)
{
	const struct disk_op *last = &c->disk->log[end(c) - 1];
	unsigned int kind = number / TEARS;
	uint32_t all = sectors(last), place = all * (number % TEARS + 1) / (TEARS + 1);

	for (size_t i = c->first; tears[kind].before && i + 1 < end(c); i++)
		land(&c->disk->log[i], 0, sectors(&c->disk->log[i]), out);
	land(last, tears[kind].tail ? place : 0, tears[kind].tail ? all : place, out);
	snprintf(words, room, tears[kind].words, place);
}

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	return *s ^= *s << 17;
}

/* Whole writes by chance or sector by sector, so that both are common. */
static void make_random(const struct cut *c, uint64_t seed, uint8_t *out)
{
	seed = (seed + 1) * 0x9e3779b97f4a7c15ull;
	for (size_t i = c->first; i < end(c); i++) {
		const struct disk_op *op = &c->disk->log[i];
		uint64_t how = next_random(&seed) >> 32;

		for (uint32_t s = 0; s < sectors(op); s++)
			if (how % 3 == 0 ? next_random(&seed) >> 63 : how % 3 == 1)
				land(op, s, s + 1, out);
	}
}

void cut_make(const struct cut *c, unsigned int state, uint64_t seed, uint8_t out[DISK_BYTES],
	      char *words, size_t room)
{
	static const char *const whole[] = {"nothing", "everything", "all but the last write",
					    "the last write only"};
	const struct disk_op *log = c->disk->log;

	memcpy(out, c->flushed, DISK_BYTES);
	if (state >= WHOLE_STATES + TORN_STATES) {
		make_random(c, seed, out);
		snprintf(words, room, "random sectors");
		return;
	}
	if (state >= WHOLE_STATES) {
		make_torn(c, state - WHOLE_STATES, out, words, room);
		return;
	}
	for (size_t i = c->first; state != NONE_LANDED && i < end(c); i++) {
		bool last = i + 1 == end(c);

		if (state == ALL_LANDED || last == (state == LAST_ONLY))
			land(&log[i], 0, sectors(&log[i]), out);
	}
	snprintf(words, room, "%s", whole[state]);
}
