/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/tools/watch.h"

#include "base/util.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DRAW_EVERY 0.25 /* seconds */

static volatile sig_atomic_t signaled; /* a handler has no other way to tell */

static void on_signal(int number)
{
	signaled = number;
}

static double since(const struct timespec *t)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - t->tv_sec) + (double)(now.tv_nsec - t->tv_nsec) / 1e9;
}

void watch_signals(void)
{
	const int caught[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND | SA_RESTART};

	for (size_t i = 0; i < ARRAY_LEN(caught); i++)
		sigaction(caught[i], &a, NULL);
}

void watch_init(struct watch *w, const char *verb)
{
	*w = (struct watch){.verb = verb, .terminal = isatty(STDERR_FILENO)};
	clock_gettime(CLOCK_MONOTONIC, &w->started);
	w->drawn = w->started;
}

err_t watch_check(void)
{
	return signaled ? err_new(ERR_ABORTED, "interrupted (%s)", strsignal(signaled)) : NULL;
}

static void draw(const struct watch *w, bool last)
{
	char line[160];

	progress_line(line, sizeof(line), w->verb, &w->last, since(&w->started), last);
	fprintf(stderr, "\r%s%s", line, last ? "\n" : "");
}

err_t watch_tick(void *arg, const struct image_progress *progress)
{
	struct watch *w = arg;

	TRY(watch_check());
	w->last = *progress;
	if (w->terminal && since(&w->drawn) >= DRAW_EVERY) {
		draw(w, false);
		clock_gettime(CLOCK_MONOTONIC, &w->drawn);
	}
	return NULL;
}

void watch_end(struct watch *w)
{
	if (w->terminal && w->last.total_pages)
		draw(w, true);
}
