/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session/signals.h"

#include "base/util.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

static const int ending[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

void signals_block(struct signals *s)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &s->before);
}

/* While it is blocked one is kept that was to be ignored, as nohup has it (kernel source:
 * kernel/signal.c, sig_ignored). */
static bool is_ignored(int sig)
{
	struct sigaction action;

	return !sigaction(sig, NULL, &action) && action.sa_handler == SIG_IGN;
}

err_t signals_check(void)
{
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < ARRAY_LEN(ending); i++) {
		if (sigismember(&pending, ending[i]) && !is_ignored(ending[i]))
			return err_new(ERR_ABORTED, "aborted (%s); nothing is lost",
				       strsignal(ending[i]));
	}
	return NULL;
}

void signals_restore(const struct signals *s)
{
	struct timespec now = {0};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(ending); i++)
		sigaddset(&set, ending[i]);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
	sigprocmask(SIG_SETMASK, &s->before, NULL);
}
