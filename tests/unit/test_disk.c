/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: a hidden path of an NVMe disk counted (it cannot be opened); a disk
 * left out because it could have been hidden; partitions, mappings or empty drives counted. */
#include "unit.h"

#include "fingerprint/disk.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void add(const char *sys, const char *name, const char *file, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", sys, name);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", sys, name, file);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", text);
	assert_int_equal(fclose(f), 0);
}

static const struct disk *find(const struct disk *disks, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(disks[i].name, name))
			return &disks[i];
	return NULL;
}

static void test_scan(void **state)
{
	char sys[] = "/tmp/dormouse-disk-XXXXXX", command[64];
	const struct disk_where where = {sys, sys};
	struct disk *disks = NULL;
	size_t n = 0;

	(void)state;
	assert_non_null(mkdtemp(sys));
	add(sys, "sda", "size", "2048");
	add(sys, "sda", "hidden", "0");
	add(sys, "sda1", "size", "1024");
	add(sys, "sda1", "partition", "1");
	add(sys, "sdb", "size", "0");
	add(sys, "dm-0", "size", "1024");
	add(sys, "nvme0n1", "size", "4096");
	add(sys, "nvme0n1", "wwid", "eui.1");
	add(sys, "nvme0c0n1", "size", "4096");
	add(sys, "nvme0c0n1", "wwid", "eui.1");
	add(sys, "nvme0c0n1", "hidden", "1");
	assert_ok(disk_scan(&where, &disks, &n));
	assert_int_equal(n, 2);
	assert_non_null(find(disks, n, "sda"));
	assert_int_equal(find(disks, n, "sda")->bytes, 1 << 20);
	assert_non_null(find(disks, n, "nvme0n1"));
	assert_string_equal(find(disks, n, "nvme0n1")->identity, "eui.1");
	free(disks);
	snprintf(command, sizeof(command), "rm -r %s", sys);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scan),
	};

	return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
