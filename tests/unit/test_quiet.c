/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: a pipe left as it is (the alarm ends the test); what was said
 * meanwhile dropped; stderr not put back. */
#include "unit.h"

#include "host/session/quiet.c"

#define LIMIT_S 20

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Until nobody could write another byte without waiting. */
static void fill(int fd)
{
	char bytes[4096] = "";

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	while (write(fd, bytes, 1) > 0)
		;
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
}

static void drain(int fd)
{
	char bytes[4096];

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
}

static void test_full_pipe(void **state)
{
	int real = dup(STDERR_FILENO), ends[2], before = open_fds();
	char got[64] = "";
	struct quiet q;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	fill(ends[1]);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	alarm(LIMIT_S);
	quiet_begin(&q);
	fprintf(stderr, "in between\n");
	drain(ends[0]);
	quiet_end(&q);
	fprintf(stderr, "afterwards\n");
	alarm(0);
	dup2(real, STDERR_FILENO);
	assert_true(read(ends[0], got, sizeof(got) - 1) > 0);
	assert_string_equal(got, "in between\nafterwards\n");
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(open_fds(), before);
	close(real);
}

/* Closed: nothing to be said anywhere, and nothing that is said in vain. */
static void test_none(void **state)
{
	int real = dup(STDERR_FILENO), before;
	struct quiet q;

	(void)state;
	close(STDERR_FILENO);
	before = open_fds();
	quiet_begin(&q);
	quiet_end(&q);
	dup2(real, STDERR_FILENO);
	assert_int_equal(open_fds(), before + 1);
	close(real);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_pipe),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests_name("quiet", tests, NULL, NULL);
}
