/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: ECHO left on; the terminal left as it was while reading;
 * Backspace taking one byte of a character; Ctrl-C taken as a byte, or for a signal; what
 * was typed before taken for an answer; a file's newline cut off; one byte too many stored of
 * a long line, or taken of a long file.
 */
#include "unit.h"

#include "base/util.h"
#include "keys/passphrase.h"
#include "tempfile.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <termios.h>

/* Reads a line that comes through a pipe. */
static err_t ask_pipe(const char *typed, size_t n, struct passphrase *p)
{
	int pipe_fds[2], null = open("/dev/null", O_WRONLY);
	err_t e;

	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], typed, n), n);
	close(pipe_fds[1]);
	e = passphrase_ask(pipe_fds[0], null, "", p);
	close(pipe_fds[0]);
	close(null);
	return e;
}

static void test_editing(void **state)
{
	static const struct {
		const char *typed, *wanted;
	} lines[] = {
		{"secret\n", "secret"},
		{"secret\rmore", "secret"},
		{"secrex\x7ft\n", "secret"},
		{"se\xc3\xa4\x08"
		 "cret\n",
		 "secret"},
		{"\x08\x08s\n", "s"},
		{"wrong\x15right\n", "right"},
		{"with space \n", "with space "},
		{"\n", ""},
	};
	struct passphrase *p;

	(void)state;
	assert_ok(passphrase_create(&p));
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		assert_ok(ask_pipe(lines[i].typed, strlen(lines[i].typed), p));
		assert_int_equal(p->n, strlen(lines[i].wanted));
		assert_memory_equal(p->text, lines[i].wanted, p->n);
	}
	assert_err(ask_pipe("sec\x03ret\n", 8, p), ERR_ABORTED);
	assert_err(ask_pipe("\x04", 1, p), ERR_ABORTED);
	assert_err(ask_pipe("secret", 6, p), ERR_IO);
	passphrase_destroy(p);
}

static void test_long(void **state)
{
	char text[PASSPHRASE_MAX + 12];
	struct passphrase *p;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	assert_ok(passphrase_create(&p));
	assert_ok(ask_pipe(text, sizeof(text), p));
	assert_int_equal(p->n, PASSPHRASE_MAX);
	passphrase_destroy(p);
}

/* A terminal, and somebody at it. */
struct terminal {
	int master, slave;
	const char *typed;
	char seen[256];
};

/* Types when the prompt has come; keeps what a person would see. */
static void *type(void *arg)
{
	struct terminal *t = arg;
	size_t n = 0, typed = strlen(t->typed);

	while (n < sizeof(t->seen) - 1 && !strstr(t->seen, "? "))
		n += (size_t)read(t->master, t->seen + n, 1);
	if (write(t->master, t->typed, typed) != (ssize_t)typed)
		abort();
	while (n < sizeof(t->seen) - 1 && !strchr(strstr(t->seen, "? "), '\n'))
		n += (size_t)read(t->master, t->seen + n, 1);
	return NULL;
}

static void terminal_open(struct terminal *t)
{
	memset(t, 0, sizeof(*t));
	t->master = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(t->master >= 0 && !grantpt(t->master) && !unlockpt(t->master));
	t->slave = open(ptsname(t->master), O_RDWR | O_NOCTTY);
	assert_true(t->slave >= 0);
}

static void terminal_close(struct terminal *t)
{
	close(t->slave);
	close(t->master);
}

static err_t ask_terminal(struct terminal *t, const char *typed, struct passphrase *p)
{
	pthread_t thread;
	err_t e;

	t->typed = typed;
	assert_int_equal(pthread_create(&thread, NULL, type, t), 0);
	e = passphrase_ask(t->slave, t->slave, "Passphrase? ", p);
	pthread_join(thread, NULL);
	return e;
}

static void test_terminal(void **state)
{
	struct termios before = {0}, after = {0}; /* padding too */
	struct passphrase *p;
	struct terminal t;

	(void)state;
	terminal_open(&t);
	assert_int_equal(tcgetattr(t.slave, &before), 0);
	assert_ok(passphrase_create(&p));
	assert_ok(ask_terminal(&t, "secret\n", p));
	assert_string_equal(t.seen, "Passphrase? \r\r\n");
	assert_int_equal(p->n, 6);
	assert_memory_equal(p->text, "secret", 6);
	assert_int_equal(tcgetattr(t.slave, &after), 0);
	assert_memory_equal(&after, &before, sizeof(after));
	passphrase_destroy(p);
	terminal_close(&t);
}

/* Ctrl-C is an answer, not a signal: to the first program of a boot that would be nothing. */
static void test_control_c(void **state)
{
	struct passphrase *p;
	struct terminal t;

	(void)state;
	terminal_open(&t);
	assert_ok(passphrase_create(&p));
	assert_err(ask_terminal(&t, "sec\x03ret\n", p), ERR_ABORTED);
	passphrase_destroy(p);
	terminal_close(&t);
}

static void test_typed_before(void **state)
{
	struct passphrase *p;
	struct pollfd ready;
	struct terminal t;

	(void)state;
	terminal_open(&t);
	assert_ok(passphrase_create(&p));
	assert_int_equal(write(t.master, "early\n", 6), 6);
	ready = (struct pollfd){.fd = t.slave, .events = POLLIN};
	assert_int_equal(poll(&ready, 1, 10000), 1);
	assert_ok(ask_terminal(&t, "secret\n", p));
	assert_int_equal(p->n, 6);
	assert_memory_equal(p->text, "secret", 6);
	passphrase_destroy(p);
	terminal_close(&t);
}

static void test_file(void **state)
{
	static const char bytes[] = "two\nlines\n";
	char more[PASSPHRASE_MAX + 1] = {1};
	struct passphrase *p;
	struct tempfile f;

	(void)state;
	assert_ok(passphrase_create(&p));
	tempfile_open(&f, 0);
	assert_err(passphrase_load(f.path, p), ERR_INVALID);
	assert_int_equal(pwrite(f.fd, bytes, strlen(bytes), 0), strlen(bytes));
	assert_ok(passphrase_load(f.path, p));
	assert_int_equal(p->n, strlen(bytes));
	assert_memory_equal(p->text, bytes, p->n);
	assert_int_equal(pwrite(f.fd, more, sizeof(more) - 1, 0), sizeof(more) - 1);
	assert_ok(passphrase_load(f.path, p));
	assert_int_equal(p->n, PASSPHRASE_MAX);
	assert_int_equal(pwrite(f.fd, more, sizeof(more), 0), sizeof(more));
	assert_err(passphrase_load(f.path, p), ERR_INVALID);
	tempfile_close(&f);
	assert_err(passphrase_load(f.path, p), ERR_IO);
	passphrase_destroy(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_editing),	     cmocka_unit_test(test_long),
		cmocka_unit_test(test_terminal),     cmocka_unit_test(test_control_c),
		cmocka_unit_test(test_typed_before), cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
