/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: core dumps left on, by either of the two ways. */
#include "unit.h"

#include "base/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hide),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
