/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: one that is not active counts; only the first is
 * looked at. */
#include "unit.h"

#include "host/session/watchdogs.c"

#include <sys/stat.h>

static char top[] = "/tmp/dormouse-watchdogs-XXXXXX";

static void put(const char *name, const char *file, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", top, name, file);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void the_active_one(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(top));
	assert_int_equal(watchdogs_running(top), 0);
	assert_int_equal(watchdogs_running("/nowhere"), 0);
	put("watchdog0", "state", "inactive\n");
	put("watchdog0", "timeout", "30\n");
	assert_int_equal(watchdogs_running(top), 0);
	put("watchdog1", "state", "active\n");
	assert_int_equal(watchdogs_running(top), 0); /* it does not say how long */
	put("watchdog1", "timeout", "60\n");
	assert_int_equal(watchdogs_running(top), 60);
}

static int clean(void **state)
{
	char command[256];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_active_one, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
