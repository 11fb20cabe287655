/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signals while a writer is loaded, and filesystems may be frozen: blocked, since to die then
 * would leave them so. Ctrl-C and its like are looked for where it is easy to stop.
 */
#ifndef HOST_SIGNALS_H
#define HOST_SIGNALS_H

#include "base/err.h"

#include <signal.h>

struct signals {
	sigset_t before;
};

void signals_block(struct signals *s);

/* ERR_ABORTED: one came that would have ended us (SIGINT, SIGQUIT, SIGTERM, SIGHUP). */
err_t signals_check(void) ERR_CHECK;

/* Those that came are gone; whoever sent one has the exit code for an answer. */
void signals_restore(const struct signals *s);

#endif
