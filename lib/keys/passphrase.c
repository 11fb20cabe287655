/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/passphrase.h"

#include "base/util.h"
#include "keys/locked.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#define KEY_CTRL_C    3
#define KEY_CTRL_D    4
#define KEY_BACKSPACE 8
#define KEY_CTRL_U    21
#define KEY_DELETE    127

err_t passphrase_create(struct passphrase **out)
{
	void *p;

	TRY(locked_create(sizeof(**out), &p));
	*out = p;
	return NULL;
}

void passphrase_destroy(struct passphrase *p)
{
	locked_destroy(p, sizeof(*p));
}

static err_t read_byte(int in, unsigned char *byte)
{
	for (;;) {
		ssize_t n = read(in, byte, 1);

		if (n == 1)
			return NULL;
		if (!n)
			return err_new(ERR_IO, "nobody is there to type a passphrase");
		if (errno != EINTR && errno != EAGAIN)
			return err_errno("reading the passphrase");
	}
}

/* A character of UTF-8 is a first byte and those that go on with it. */
static void take_back(struct passphrase *p)
{
	while (p->n && (p->text[p->n - 1] & 0xc0) == 0x80)
		p->n--;
	if (p->n)
		p->n--;
}

static err_t read_line(int in, struct passphrase *p)
{
	for (;;) {
		unsigned char byte;

		TRY(read_byte(in, &byte));
		if (byte == '\r' || byte == '\n')
			return NULL;
		if (byte == KEY_CTRL_C || (byte == KEY_CTRL_D && !p->n))
			return err_new(ERR_ABORTED, "no passphrase was given");
		if (byte == KEY_BACKSPACE || byte == KEY_DELETE)
			take_back(p);
		else if (byte == KEY_CTRL_U)
			p->n = 0;
		else if (byte && p->n < sizeof(p->text))
			p->text[p->n++] = (char)byte;
	}
}

err_t passphrase_ask(int in, int out, const char *prompt, struct passphrase *p)
{
	struct termios before, silent;
	bool terminal = !tcgetattr(in, &before);
	err_t e;

	if (terminal) {
		silent = before;
		/* Lines are put together here: the kernel's buffer is not wiped. */
		silent.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
		silent.c_cc[VMIN] = 1;
		silent.c_cc[VTIME] = 0;
		tcsetattr(in, TCSAFLUSH, &silent);
	}
	dprintf(out, "%s", prompt);
	p->n = 0;
	e = read_line(in, p);
	dprintf(out, "\r\n");
	if (terminal)
		tcsetattr(in, TCSANOW, &before);
	return e;
}

static err_t load(int fd, const char *name, struct passphrase *p)
{
	char more;

	p->n = 0;
	for (;;) {
		size_t room = sizeof(p->text) - p->n;
		ssize_t n = read(fd, room ? p->text + p->n : &more, room ? room : 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno("reading %s", name);
		if (n && !room)
			return err_new(ERR_INVALID, "%s is longer than %u bytes", name,
				       PASSPHRASE_MAX);
		if (!n)
			break;
		p->n += (size_t)n;
	}
	return p->n ? NULL : err_new(ERR_INVALID, "%s is empty", name);
}

err_t passphrase_load(const char *path, struct passphrase *p)
{
	CLEANUP_CLOSE int fd = -1;

	if (!strcmp(path, "-"))
		return load(STDIN_FILENO, "standard input", p);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno("opening %s", path);
	return load(fd, path, p);
}
