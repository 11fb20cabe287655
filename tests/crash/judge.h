/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rules of docs/crash-safety.md, held against what a boot sees after a power
 * cut: the old state or the new one, nothing between, nothing older, and nothing
 * resumable whose memory went on.
 */
#ifndef CRASH_JUDGE_H
#define CRASH_JUDGE_H

#include "boot.h"
#include "history.h"

/*
 * NULL, or which rule is broken. between: the cut was in the step; otherwise
 * after it, and before the next.
 */
const char *judge_cut(const struct span *s, bool between, const struct boot *b);

/* The rules that hold for any disk at all. */
const char *judge_boot(uint64_t dead, const struct boot *b);

/*
 * The next boot, before swap can be turned on there: finishes what was cut short. NULL
 * when a swap area can be turned on then, if no image is in it. before: what that
 * boot saw.
 */
const char *judge_finish(struct disk *d, const struct boot *before);

/*
 * What no boot can ever resume is given up unasked (resume/choice.c): NULL when that worked,
 * or there is nothing of the kind.
 */
const char *judge_give_up(struct disk *d, const struct boot *before);

/*
 * Hibernate on this disk, as the host does it, with image number: NULL when it
 * worked and is resumable. rewrite: by the real writer, not by a copy of what it
 * wrote once.
 */
const char *judge_next(struct disk *d, unsigned int number, bool rewrite);

#endif
