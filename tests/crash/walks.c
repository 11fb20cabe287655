/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Long histories by chance: sessions that end in a power cut, one after the other
 * on the same disk, each going on from whatever the cut before has left.
 */
#include "run.h"

#include "base/util.h"
#include "cut.h"
#include "judge.h"

#include <stdio.h>
#include <string.h>

#define WALKS	 40u /* in each round */
#define SESSIONS 12u

/* What may be done with an image, and where there is none. */
static const char *const with_image[] = {"sjr",	 "sjrbwv", "f",	   "fsjr",   "r",
					 "rbwv", "rbwvr",  "rbwr", "fsfsjr", "fr"};
static const char *const turned_on[] = {"o", "ox", "oxbwv", "ooxbwv", "fo", "so", "oxo"};
static const char *const without[] = {"bwv", "bwvr", "bwr", "b", "bwvsjrbwv", "bwvf", "bwvsjr"};

static uint64_t chance(uint64_t *s, uint64_t below)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return (*s >> 11) % below;
}

static const char *choose(const struct boot *b, uint64_t *seed)
{
	bool is_image = !b->load && b->commit.holds_image && b->retries && !b->check;

	if (b->page0 != SWAPHEADER_NONE && chance(seed, 4) == 0)
		return turned_on[chance(seed, is_image ? ARRAY_LEN(turned_on) : 4)];
	if (b->load || !b->commit.holds_image)
		return without[chance(seed, ARRAY_LEN(without))];
	if (!b->retries || b->check) /* refused: discarded, or the host hibernates anew */
		return chance(seed, 2) ? "r" : "rbwv";
	return with_image[chance(seed, ARRAY_LEN(with_image))];
}

/* A cut somewhere in what was done last. Which step it was in or after. */
static const struct span *cut_somewhere(const struct history *h, uint64_t *seed, bool *between,
					uint8_t *content)
{
	static struct cut c; /* too large for the stack */
	const struct span *s = &h->spans[chance(seed, h->count)];
	size_t at = s->first + chance(seed, s->end - s->first + 1);
	char words[80];

	*between = at < s->end;
	cut_init(&c, h->disk);
	cut_move(&c, at, *between);
	cut_make(&c, (unsigned int)chance(seed, cut_states(&c, 20)), chance(seed, 1u << 30),
		 content, words, sizeof(words));
	return s;
}

/* One session, and the cut that ends it. False: enough is wrong. */
static bool session(struct run *r, struct disk *d, struct history *h, uint64_t *seed,
		    uint64_t *dead)
{
	static uint8_t content[DISK_BYTES]; /* too large for the stack */
	const struct span *s;
	const char *script, *text;
	struct boot b;
	bool between;
	err_t e;

	boot_look(d, true, &b);
	script = choose(&b, seed);
	history_take_over(h, d, &b, *dead, h->images);
	e = history_run(h, script);
	s = cut_somewhere(h, seed, &between, content);
	disk_reset(d, content);
	boot_look(d, true, &b);
	text = e ? err_text(e) : judge_cut(s, between, &b);
	*dead = between ? s->before.dead : s->after.dead;
	if (text || !r->only || r->only == r->cases)
		run_result(r, text, "walk, %s, cut %s step %s", script, between ? "in" : "after",
			   step_name(s->step));
	err_free(e);
	return !text;
}

void walks_run(struct run *r)
{
	static struct history h; /* too large for the stack */
	struct disk *d = disk_create(r->located);

	for (unsigned int i = 0; i < WALKS * r->rounds; i++) {
		uint64_t seed, dead = 0;

		if (!run_wants(r))
			continue;
		seed = (r->seed << 32) + r->cases * 0x9e3779b97f4a7c15ull;
		disk_reset(d, swap_blank(r->swap));
		history_init(&h, d);
		for (unsigned int n = 0; n < SESSIONS; n++)
			if (!session(r, d, &h, &seed, &dead))
				break;
	}
	disk_destroy(d);
}
