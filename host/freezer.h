/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Freezing filesystems, with a limit on how long that may take.
 *
 * FIFREEZE waits, deaf to every signal, until nobody is in the middle of a write. A frozen
 * process can be: whoever opens a file with O_TRUNC where a virus scanner is asked first
 * (fanotify) counts as writing, and stops there for as long as the scanner is frozen. Only
 * thawing processes ends it, so a child does the waiting, and we can.
 *
 * A child that is made once processes are frozen is spared as we are: copy_process() leaves
 * PF_SUSPEND_TASK set. It is gone again before the jump. What is shared with it is a mapping of
 * its own: of locked memory (keys/locked.h) a child has none.
 */
#ifndef HOST_FREEZER_H
#define HOST_FREEZER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FREEZER_MAX 256 /* filesystems */

/* What became of a filesystem. */
enum freezer_state {
	FREEZER_PENDING,
	FREEZER_OURS,	/* frozen, to be thawed by whoever asked for it */
	FREEZER_DONE,	/* nothing to be thawed: frozen by somebody else, or cannot be and synced */
	FREEZER_FAILED, /* errno; nothing is frozen */
	FREEZER_LOST,	/* the child was killed; it may be frozen */
	FREEZER_GIVEN_UP /* not waited for any more: the child thaws it, should it get frozen */
};

struct freezer {
	pid_t child;		 /* 0: there is none */
	struct freezing *shared; /* with the child */
};

/* Begin, in this order, with the filesystems that the count files are in. All of f is 0 before;
 * freezer_end() in any case. */
err_t freezer_start(struct freezer *f, const int *fds, size_t count) ERR_CHECK;

/*
 * What became of number i, waited for as long as limit_ms; *error is FREEZER_FAILED's. One after
 * the other, and no more after the first that is neither FREEZER_OURS nor FREEZER_DONE: with that
 * the child stops.
 */
enum freezer_state freezer_wait(struct freezer *f, size_t i, unsigned int limit_ms, int *error);

/*
 * After that: the child is waited for. false: after limit_ms it still freezes what was given up;
 * it thaws that by itself, and ends, if the kernel ever lets it. Harmless twice.
 */
bool freezer_end(struct freezer *f, unsigned int limit_ms);

#endif
