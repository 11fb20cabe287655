/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: core dumps left on, by either of the two ways; standard error
 * alone filled; one more left open.
 */
#include "unit.h"

#include "base/process.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a process of its own, since there is no way back. */
static void test_hide(void **state)
{
	pid_t child = fork();
	struct rlimit core = {1, 1};
	int status;

	(void)state;
	if (!child) {
		process_hide();
		getrlimit(RLIMIT_CORE, &core);
		_exit(prctl(PR_GET_DUMPABLE) || core.rlim_cur || core.rlim_max);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool is_null(int fd)
{
	struct stat st, null;

	return !fstat(fd, &st) && !stat("/dev/null", &null) && st.st_rdev == null.st_rdev;
}

/* In the child: exit code 0 is good. */
static int closed_ones(int first, int last)
{
	int next;

	close(3);
	for (int fd = first; fd <= last; fd++)
		close(fd);
	process_fill_standard();
	for (int fd = first; fd <= last; fd++)
		if (!is_null(fd))
			return 1;
	next = open("/dev/null", O_RDONLY);
	return next == 3 ? 0 : 2;
}

static void expect_filled(int first, int last)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(closed_ones(first, last));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_fill(void **state)
{
	(void)state;
	expect_filled(0, 2);
	expect_filled(1, 1);
	expect_filled(2, 2);
	expect_filled(3, 2); /* none */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hide),
		cmocka_unit_test(test_fill),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
