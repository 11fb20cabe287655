/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The person in front of the machine: a progress bar, and a key to stop. */
#ifndef IMAGEWRITER_CONSOLE_H
#define IMAGEWRITER_CONSOLE_H

#include "base/err.h"
#include "image/writer.h"

#include <stdbool.h>
#include <stdint.h>

struct console {
	const char *verb; /* "writing", "reading" */
	bool keys;	  /* Esc and Backspace are listened to */
	int key_fds[16];  /* keyboards, /dev/input/event* */
	unsigned int key_count;
	uint64_t started; /* CLOCK_MONOTONIC, ns */
	uint64_t drawn;
};

/*
 * The first thing of all: from then on nothing that is written to the console, the log too,
 * waits for it. Somebody may have stopped it (Scroll Lock, Ctrl-S), and the host must
 * not wait for somebody to let it go on. What the console does not take is lost there.
 */
void console_never_wait(void);

void console_init(struct console *c, const char *verb, bool keys);

/* The tick of image_writer and image_reader; arg is a struct console. Draws the
 * bar twice a second; ERR_ABORTED when somebody pressed Esc or Backspace. */
err_t console_tick(void *arg, const struct image_progress *progress);

/* End the bar's line. Keys are no longer listened to. */
void console_deinit(struct console *c, const struct image_progress *progress);

#endif
