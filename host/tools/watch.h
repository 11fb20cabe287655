/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Over long work with an image: a progress bar on stderr when that is a terminal,
 * nothing otherwise; and Ctrl-C ends it in an orderly way.
 */
#ifndef HOST_WATCH_H
#define HOST_WATCH_H

#include "base/err.h"
#include "image/progress.h"

#include <stdbool.h>
#include <time.h>

struct watch {
	const char *verb;
	bool terminal;
	struct timespec started, drawn;
	struct image_progress last;
};

/* SIGINT, SIGTERM and SIGHUP are caught from here on: call it before there is
 * anything to be cleaned up. A second one ends the program at once. */
void watch_signals(void);

/* verb: "packing". */
void watch_init(struct watch *w, const char *verb);

/* As image_writer_options.tick wants it, arg is the watch. ERR_ABORTED after
 * one of these signals. */
err_t watch_tick(void *arg, const struct image_progress *progress);

/* The bar's last line; nothing if none was drawn. */
void watch_end(struct watch *w);

/* Was there a signal? For what lies between the runs. */
err_t watch_check(void) ERR_CHECK;

#endif
