/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A question to the person at the console, answered by one key. */
#ifndef RESUME_ASK_H
#define RESUME_ASK_H

#include <stdbool.h>
#include <stddef.h>

#define ASK_CHOICES_MAX 16u

#define ASK_NO_LIMIT   (-1) /* of seconds */
#define ASK_NOBODY     0    /* the time is up */
#define ASK_NO_CONSOLE (-1) /* there is nobody to be asked */
#define ASK_SETTLED    (-2) /* the question is none any more */

struct question {
	const char *text; /* lines, each ended by a newline */
	size_t count;
	struct {
		char key;
		const char *text;
	} choices[ASK_CHOICES_MAX];
	const char *unanswered; /* what happens then; one line, without newline */
	/* NULL, or looked at ten times a second: has what is asked about settled itself? */
	bool (*settled)(const void *ctx);
	const void *ctx;
};

void ask_add(struct question *q, char key, const char *text);

/*
 * Show the question on out, read keys from in, a terminal or not, and return the
 * key of a choice, lower case or upper; or ASK_NOBODY after so many seconds,
 * ASK_NO_CONSOLE when in cannot be read, or ASK_SETTLED. What was typed before does not count, nor
 * do the sequences that keys like the arrows send.
 */
int ask(int in, int out, const struct question *q, int seconds);

/* The same on /dev/console. */
int ask_console(const struct question *q, int seconds);

#endif
