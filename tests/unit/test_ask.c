/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: the time limit ignored; the digits of an
 * arrow key's sequence taken for an answer; what was typed before the question
 * taken for one; echo left off afterwards; end of file waited out; what
 * settles itself waited for to the end, or a key missed before it does.
 */
#include "unit.h"

#include "resume/ask.c"

#include <pthread.h>
#include <pty.h>

struct typist {
	int fd;
	const char *keys;
};

static void *type(void *arg)
{
	const struct typist *t = arg;

	usleep(150000);
	assert_int_equal(write(t->fd, t->keys, strlen(t->keys)), strlen(t->keys));
	return NULL;
}

static struct question sample(void)
{
	struct question q = {.text = "Well?\n", .unanswered = "Nothing."};

	ask_add(&q, '2', "the second");
	ask_add(&q, 'd', "discard");
	return q;
}

/* The answer when these keys come, on a terminal, after the question. */
static int answer_of(const char *keys, int seconds)
{
	struct question q = sample();
	struct termios before, after;
	struct typist t = {.keys = keys};
	pthread_t thread;
	int slave, got;

	assert_int_equal(openpty(&t.fd, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(slave, &before), 0);
	assert_int_equal(write(t.fd, "d\n", 2), 2); /* too early */
	usleep(20000);
	pthread_create(&thread, NULL, type, &t);
	got = ask(slave, slave, &q, seconds);
	pthread_join(thread, NULL);
	assert_int_equal(tcgetattr(slave, &after), 0);
	assert_int_equal(before.c_lflag, after.c_lflag);
	close(slave);
	close(t.fd);
	return got;
}

static void answers(void **state)
{
	(void)state;
	assert_int_equal(answer_of("d", 5), 'd');
	assert_int_equal(answer_of("xD", 5), 'd');
	assert_int_equal(answer_of("2", ASK_NO_LIMIT), '2');
	assert_int_equal(answer_of("\033[2~", 1), ASK_NOBODY);
}

static void has_a_limit(void **state)
{
	int64_t before = now_ms();

	(void)state;
	assert_int_equal(answer_of("x", 1), ASK_NOBODY);
	assert_in_range(now_ms() - before, 1000, 4000);
}

static bool settles(const void *ctx)
{
	unsigned int *looks = *(unsigned int *const *)ctx;

	return !--*looks;
}

/* A device comes while somebody is asked about it; or a key does. */
static void settles_itself(void **state)
{
	unsigned int looks = 3, *p = &looks;
	struct question q = sample();
	int64_t before = now_ms();
	int fd[2];

	(void)state;
	q.settled = settles;
	q.ctx = &p;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(ask(fd[0], open("/dev/null", O_WRONLY), &q, 20), ASK_SETTLED);
	assert_in_range(now_ms() - before, 150, 5000);
	looks = 1000;
	assert_int_equal(ask(fd[0], open("/dev/null", O_WRONLY), &q, 1), ASK_NOBODY);
	assert_int_equal(write(fd[1], "d", 1), 1);
	assert_int_equal(ask(fd[0], open("/dev/null", O_WRONLY), &q, 20), 'd');
	close(fd[0]);
	close(fd[1]);
}

static void notices_the_end(void **state)
{
	struct question q = sample();
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	close(fd[1]);
	assert_int_equal(ask(fd[0], open("/dev/null", O_WRONLY), &q, ASK_NO_LIMIT), ASK_NO_CONSOLE);
	close(fd[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(has_a_limit),
		cmocka_unit_test(settles_itself),
		cmocka_unit_test(notices_the_end),
	};

	return cmocka_run_group_tests_name("ask", tests, NULL, NULL);
}
