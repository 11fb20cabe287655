/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of the tests: what is asked for, and what was found. */
#ifndef CRASH_RUN_H
#define CRASH_RUN_H

#include "history.h"

#include <stdbool.h>
#include <stdint.h>

struct run {
	uint64_t seed;
	unsigned int rounds;		 /* how much is left to chance, 1 is a share of all */
	unsigned long only;		 /* the number of the one case to try; 0: all */
	unsigned int one_in;		 /* of so many cuts one is tried */
	bool swap;			 /* the disks are swap areas */
	bool located;			 /* and the targets slots of them */
	bool quiet;			 /* violations are wanted, and not printed */
	struct disk *scratch;		 /* what is looked at, and hibernated on next */
	unsigned long cases;		 /* so far, of all kinds: the number of a case */
	unsigned long tried, violations; /* of this kind */
	unsigned int passed, failed;
};

/* A new case: its number counts up. Whether it is to be tried. */
bool run_wants(struct run *r);

/* What came of it; text: NULL, or what is wrong. where: printed before. */
void run_result(struct run *r, const char *text, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The line of a kind: "cuts: 5000 tried, 0 violations", and begin the next one. */
void run_line(struct run *r, const char *kind);

/*
 * Every cut in and after each step from number `from` on, on each of them all
 * rules, and the next hibernation.
 */
void run_cuts(struct run *r, const char *name, const struct history *h, unsigned int from);

/* The kinds. */
void cuts_run(struct run *r);
void walks_run(struct run *r);
void sectors_run(struct run *r);
void failures_run(struct run *r);
void flips_run(struct run *r);
void plants_run(struct run *r);

#endif
