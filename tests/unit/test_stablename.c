/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A made-up /dev. Planted faults that made it fail: a link taken for the kernel's own name; a
 * name of another device given; a device that has no other name found to have a better one.
 */
#include "unit.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

static char top[] = "/tmp/dormouse-names-XXXXXX";

/* What has "other" in its name is another device. */
static int fake_stat(const char *path, struct stat *st)
{
	bool folder = path[strlen(path) - 1] == '.';

	*st = (struct stat){.st_mode = folder ? S_IFDIR : S_IFBLK,
			    .st_rdev = strstr(path, "other") ? 2 : 1};
	return 0;
}

static int fake_lstat(const char *path, struct stat *st)
{
	fake_stat(path, st);
	if (strstr(path, "/disk/"))
		st->st_mode = S_IFLNK;
	return 0;
}

static DIR *fake_opendir(const char *folder)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", top, folder);
	return opendir(path);
}

#define stat(path, st)	fake_stat(path, st)
#define lstat(path, st) fake_lstat(path, st)
#define opendir(folder) fake_opendir(folder)
#include "host/disks/stablename.c"

static void sh(const char *fmt)
{
	char command[512];

	snprintf(command, sizeof(command), fmt, top);
	assert_int_equal(system(command), 0);
}

static void test_better(void **state)
{
	char name[64];

	(void)state;
	assert_non_null(mkdtemp(top));
	assert_false(stablename_better("/dev/sdb1", name, sizeof(name)));
	sh("d=%s/dev/disk/by-id; mkdir -p $d && touch $d/other");
	assert_false(stablename_better("/dev/sdb1", name, sizeof(name)));
	sh("touch %s/dev/disk/by-id/wwn-1-part1");
	assert_true(stablename_better("/dev/sdb1", name, sizeof(name)));
	assert_string_equal(name, "/dev/disk/by-id/wwn-1-part1");
	assert_false(stablename_better("/dev/disk/by-label/x", name, sizeof(name)));
	assert_false(stablename_better("/dev/sdb1", name, 8)); /* no room for it */
	sh("rm -r %s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_better),
	};

	return cmocka_run_group_tests_name("stablename", tests, NULL, NULL);
}
