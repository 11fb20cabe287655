/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "imagewriter/console.h"

#include "base/util.h"

#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define DRAW_EVERY	500000000ull /* ns */
#define ESC_WAIT_MS	30 /* an arrow key sends Esc and more at once; Esc alone nothing more */
#define KEY_ESCAPE_CHAR 0x1b
#define KEY_RUBOUT_CHAR 0x7f

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void open_keyboards(struct console *c)
{
	char path[32];

	for (unsigned int i = 0; i < 32 && c->key_count < ARRAY_LEN(c->key_fds); i++) {
		int fd;

		snprintf(path, sizeof(path), "/dev/input/event%u", i);
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			c->key_fds[c->key_count++] = fd;
	}
}

/*
 * Input, output and errors are one open file, which the kernel made for us. Ctrl-S means
 * nothing here any more; Scroll Lock cannot be kept from stopping a screen.
 */
void console_never_wait(void)
{
	int flags = fcntl(STDERR_FILENO, F_GETFL);
	struct termios t;

	if (flags >= 0)
		fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
	if (tcgetattr(STDERR_FILENO, &t))
		return;
	t.c_iflag &= ~(tcflag_t)(IXON | IXANY | IXOFF);
	tcsetattr(STDERR_FILENO, TCSANOW, &t);
}

/* The serial line or screen that is /dev/console: each key at once, unechoed. Not
 * TCSAFLUSH, which waits until what was written is out. */
static void raw_input(void)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t))
		return;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &t);
	tcflush(STDIN_FILENO, TCIFLUSH);
}

void console_init(struct console *c, const char *verb, bool keys)
{
	*c = (struct console){.verb = verb, .keys = keys, .started = now_ns()};
	if (!keys)
		return;
	raw_input();
	open_keyboards(c);
}

static bool input_waits(int timeout_ms)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1 && (p.revents & POLLIN);
}

static bool terminal_pressed(void)
{
	char ch;

	while (input_waits(0) && read(STDIN_FILENO, &ch, 1) == 1) {
		if (ch == KEY_RUBOUT_CHAR || ch == '\b')
			return true;
		if (ch != KEY_ESCAPE_CHAR)
			continue;
		if (!input_waits(ESC_WAIT_MS))
			return true;
		while (input_waits(0) && read(STDIN_FILENO, &ch, 1) == 1)
			;
	}
	return false;
}

static bool keyboard_pressed(const struct console *c)
{
	struct input_event e;

	for (unsigned int i = 0; i < c->key_count; i++)
		while (read(c->key_fds[i], &e, sizeof(e)) == sizeof(e))
			if (e.type == EV_KEY && e.value == 1 &&
			    (e.code == KEY_ESC || e.code == KEY_BACKSPACE))
				return true;
	return false;
}

static void draw(const struct console *c, const struct image_progress *p, bool last)
{
	char line[160];

	progress_line(line, sizeof(line), c->verb, p, (double)(now_ns() - c->started) / 1e9, last);
	fprintf(stderr, "\r%s%s", line, last ? "\n" : "");
}

err_t console_tick(void *arg, const struct image_progress *progress)
{
	struct console *c = arg;

	if (c->keys && (terminal_pressed() || keyboard_pressed(c)))
		return err_new(ERR_ABORTED, "stopped by a key");
	if (now_ns() - c->drawn >= DRAW_EVERY) {
		draw(c, progress, false);
		c->drawn = now_ns();
	}
	return NULL;
}

void console_deinit(struct console *c, const struct image_progress *progress)
{
	draw(c, progress, true);
	for (unsigned int i = 0; i < c->key_count; i++)
		close(c->key_fds[i]);
	c->keys = false;
}
