/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nothing stops the writer at its console. Each case is a process with a terminal of its
 * own, whose other end nobody reads.
 *
 * Planted faults that made it fail: the console left blocking (Scroll Lock, and
 * a line that takes no more); Ctrl-S left in force (it shows nothing then).
 */
#include "unit.h"

#include "base/log.h"
#include "base/util.h"
#include "imagewriter/console.c"

#include <pty.h>
#include <sys/wait.h>
#include <utmp.h>

#define SECONDS 10

static const char ctrl_s = 0x13;

/* Scroll Lock stops a screen like this (drivers/tty/vt/keyboard.c, fn_hold). */
static void stop(void)
{
	tcflow(STDOUT_FILENO, TCOOFF);
}

static void nothing(void)
{
}

/* The writer's part: a bar and some log, for a while. */
static err_t work(unsigned int lines)
{
	struct image_progress p = {.data_pages = 0};
	struct console c;
	err_t e = NULL;

	console_init(&c, "writing", true);
	for (unsigned int i = 0; i < lines && !e; i++) {
		log_info("line %u", i);
		c.drawn = 0;
		e = console_tick(&c, &p);
	}
	console_deinit(&c, &p);
	return e;
}

/* Exit code of work on a terminal; -1: it had to be killed. typed is sent before it begins. */
static int run(void (*before)(void), const char *typed, size_t n, unsigned int lines, char *shown,
	       size_t room)
{
	int master, slave, status;
	ssize_t got;
	pid_t child;
	err_t e;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	child = fork();
	if (!child) {
		login_tty(slave);
		close(master);
		signal(SIGALRM, SIG_DFL);
		alarm(SECONDS);
		before();
		console_never_wait();
		usleep(n ? 500000 : 0);
		e = work(lines);
		_exit(e ? 1 + (int)err_kind(e) : 0);
	}
	usleep(n ? 100000 : 0);
	assert_int_equal(write(master, typed, n), n);
	assert_int_equal(waitpid(child, &status, 0), child);
	fcntl(master, F_SETFL, O_NONBLOCK);
	got = read(master, shown, room - 1);
	shown[got < 0 ? 0 : got] = '\0';
	close(slave);
	close(master);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_scroll_lock(void **state)
{
	char shown[4096];

	(void)state;
	assert_int_equal(run(stop, "", 0, 2000, shown, sizeof(shown)), 0);
}

/* More than a terminal keeps of what nobody reads. */
static void test_unread(void **state)
{
	char shown[4096];

	(void)state;
	assert_int_equal(run(nothing, "", 0, 5000, shown, sizeof(shown)), 0);
	assert_non_null(strstr(shown, "line 1\r\n"));
}

static void test_ctrl_s(void **state)
{
	char shown[4096];

	(void)state;
	assert_int_equal(run(nothing, &ctrl_s, 1, 20, shown, sizeof(shown)), 0);
	assert_non_null(strstr(shown, "line 19\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scroll_lock),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_ctrl_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
