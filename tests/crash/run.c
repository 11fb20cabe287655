/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run.h"

#include "cut.h"
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>

#define PRINTED_MAX   10u
#define RANDOMS	      6u   /* random states of a place, in each round */
#define REWRITE_EVERY 101u /* states of which one is written on by the real writer */

bool run_wants(struct run *r)
{
	r->cases++;
	if (r->only)
		return r->only == r->cases;
	/* By a hash of the number: no regular pattern of places may be left out. */
	return (r->cases * 0x9e3779b97f4a7c15ull >> 32) % r->one_in == 0;
}

void run_result(struct run *r, const char *text, const char *fmt, ...)
{
	va_list ap;

	r->tried++;
	r->violations += text != NULL;
	if (r->only && !r->quiet)
		printf("case %lu was tried: %s\n", r->cases,
		       text ? "violation" : "as it should be");
	if (!text || r->quiet || r->violations > PRINTED_MAX)
		return;
	printf("FAIL case %lu, seed %llu: ", r->cases, (unsigned long long)r->seed);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(": %s\n", text);
}

void run_line(struct run *r, const char *kind)
{
	if (r->only && !r->tried)
		return;
	printf("%s: %lu tried, %lu violations\n", kind, r->tried, r->violations);
	r->passed += !r->violations;
	r->failed += r->violations != 0;
	r->tried = r->violations = 0;
}

/* The state in r->scratch: what is wrong with it, if anything. */
static const char *look(struct run *r, const struct span *s, bool between, unsigned int next)
{
	const char *text;
	struct boot b;

	boot_look(r->scratch, true, &b);
	text = judge_cut(s, between, &b);
	/* A hibernation may come without a boot that looks first. */
	if (!text && r->cases & 1)
		text = judge_finish(r->scratch, &b);
	else if (!text)
		text = judge_give_up(r->scratch, &b);
	return text ? text : judge_next(r->scratch, next, r->cases % REWRITE_EVERY == 0);
}

static void try_place(struct run *r, const char *name, const struct history *h, unsigned int step,
		      const struct cut *c)
{
	unsigned int states = cut_states(c, RANDOMS * r->rounds);
	const struct span *s = &h->spans[step];
	static uint8_t content[DISK_BYTES]; /* too large for the stack */
	char words[80];

	for (unsigned int i = 0; i < states; i++) {
		if (r->quiet && r->violations)
			return; /* one is enough */
		if (!run_wants(r))
			continue;
		cut_make(c, i, r->seed + r->cases, content, words, sizeof(words));
		disk_reset(r->scratch, content);
		run_result(r, look(r, s, c->in_flight, h->images),
			   "%s, step %u (%s), cut %s operation %zu of %zu, landed: %s", name,
			   step + 1, step_name(s->step), c->in_flight ? "in" : "before", c->at,
			   h->disk->ops, words);
	}
}

void run_cuts(struct run *r, const char *name, const struct history *h, unsigned int from)
{
	static struct cut c; /* too large for the stack */

	cut_init(&c, h->disk);
	for (unsigned int i = from; i < h->count; i++) {
		const struct span *s = &h->spans[i];

		for (size_t at = s->first; at < s->end; at++) {
			cut_move(&c, at, true);
			try_place(r, name, h, i, &c);
		}
		cut_move(&c, s->end, false);
		try_place(r, name, h, i, &c);
	}
}
