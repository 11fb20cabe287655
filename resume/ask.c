/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/ask.h"

#include "base/util.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <termios.h>
#include <time.h>

#define ESCAPE	    '\033'
#define SEQUENCE_MS 100 /* the rest of a key's sequence comes within this */
#define SETTLED_MS  100

void ask_add(struct question *q, char key, const char *text)
{
	assert(q->count < ASK_CHOICES_MAX);
	q->choices[q->count].key = key;
	q->choices[q->count++].text = text;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void show(int out, const struct question *q)
{
	dprintf(out, "\r\n%s", q->text);
	for (size_t i = 0; i < q->count; i++)
		dprintf(out, "  %c  %s\r\n", q->choices[i].key, q->choices[i].text);
	dprintf(out, "%s\r\n", q->unanswered);
}

/* A byte, at the latest at this time (-1: without limit), or what ask() returns. */
static int read_byte(int in, int64_t until)
{
	for (;;) {
		struct pollfd p = {.fd = in, .events = POLLIN};
		int64_t left = until < 0 ? -1 : until - now_ms();
		unsigned char byte;
		ssize_t n;

		if (until >= 0 && left <= 0)
			return ASK_NOBODY;
		n = poll(&p, 1, (int)left);
		if (n < 0 && errno != EINTR)
			return ASK_NO_CONSOLE;
		if (n <= 0)
			continue;
		n = read(in, &byte, 1);
		if (n == 1 && byte)
			return byte;
		if (!n || (n < 0 && errno != EINTR && errno != EAGAIN))
			return ASK_NO_CONSOLE;
	}
}

/* An arrow key is Esc, "[" and letters or digits, which are no answers. */
static void skip_sequence(int in)
{
	while (read_byte(in, now_ms() + SEQUENCE_MS) > 0)
		;
}

/* The same, or that the question has settled itself. */
static int read_answer(int in, const struct question *q, int64_t until)
{
	while (q->settled) {
		int64_t soon = now_ms() + SETTLED_MS;
		bool last = until >= 0 && until <= soon;
		int byte;

		if (q->settled(q->ctx))
			return ASK_SETTLED;
		byte = read_byte(in, last ? until : soon);
		if (byte != ASK_NOBODY || last)
			return byte;
	}
	return read_byte(in, until);
}

static int wait_for_choice(int in, int out, const struct question *q, int64_t until)
{
	for (;;) {
		int byte = read_answer(in, q, until);

		if (byte <= 0)
			return byte;
		if (byte == ESCAPE)
			skip_sequence(in);
		for (size_t i = 0; i < q->count; i++) {
			if (tolower(byte) == q->choices[i].key) {
				dprintf(out, "%c\r\n", byte);
				return q->choices[i].key;
			}
		}
	}
}

int ask(int in, int out, const struct question *q, int seconds)
{
	struct termios before, raw;
	bool terminal = !tcgetattr(in, &before);
	int64_t until;
	int answer;

	if (terminal) {
		raw = before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
		/* Drops what was typed so far. */
		tcsetattr(in, TCSAFLUSH, &raw);
	}
	show(out, q);
	until = seconds == ASK_NO_LIMIT ? -1 : now_ms() + (int64_t)seconds * 1000;
	answer = wait_for_choice(in, out, q, until);
	if (terminal)
		tcsetattr(in, TCSANOW, &before);
	return answer;
}

int ask_console(const struct question *q, int seconds)
{
	CLEANUP_CLOSE int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? ASK_NO_CONSOLE : ask(fd, fd, q, seconds);
}
