/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: a limit of warnings left on; not put back; what was off turned on
 * by putting back; what is not there made. */
#include "unit.h"

#include "host/session/warnings.c"

#include <unistd.h>

static char folder[64];

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/dormouse-warnings-XXXXXX");
	return !mkdtemp(folder);
}

static void path_of(char path[128], const char *name)
{
	snprintf(path, 128, "%s/%s", folder, name);
}

static int end(void **state)
{
	char path[128];

	(void)state;
	for (int i = 0; i < WARNINGS_SETTINGS; i++) {
		path_of(path, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	path_of(path, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The kernel takes what is written for the whole value, a file keeps what is behind it. */
static void expect(const char *name, int value)
{
	char path[128];
	FILE *f;
	int got;

	path_of(path, name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &got), 1);
	fclose(f);
	assert_int_equal(got, value);
}

static void both(void **state)
{
	struct warnings w;

	(void)state;
	put("panic_on_warn", "1\n");
	put("warn_limit", "100\n");
	warnings_allow(folder, &w);
	expect("panic_on_warn", 0);
	expect("warn_limit", 0);
	warnings_restore(folder, &w);
	expect("panic_on_warn", 1);
	expect("warn_limit", 100);
}

/* Somebody who sets one meanwhile has it stay so. */
static void off(void **state)
{
	struct warnings w;

	(void)state;
	put("panic_on_warn", "0\n");
	put("warn_limit", "7\n");
	warnings_allow(folder, &w);
	expect("warn_limit", 0);
	put("panic_on_warn", "1\n");
	warnings_restore(folder, &w);
	expect("panic_on_warn", 1);
	expect("warn_limit", 7);
}

/* Kernels before 6.2 have no limit. */
static void missing(void **state)
{
	struct warnings w;
	char path[128];

	(void)state;
	put("panic_on_warn", "1\n");
	warnings_allow(folder, &w);
	expect("panic_on_warn", 0);
	warnings_restore(folder, &w);
	expect("panic_on_warn", 1);
	path_of(path, "warn_limit");
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both, begin, end),
		cmocka_unit_test_setup_teardown(off, begin, end),
		cmocka_unit_test_setup_teardown(missing, begin, end),
	};

	return cmocka_run_group_tests_name("warnings", tests, NULL, NULL);
}
