/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: ways of another disk or another subsystem counted; a
 * partition of a way counted; one over a network taken for a disk of this machine; a head
 * with no way left taken for one; every disk called nvme taken for a head.
 */
#include "fakesys.h"

#include "host/disks/nvmehead.c"

#define HEAD "virtual/nvme-subsystem/nvme-subsys0/nvme0n1"
#define WAY  "pci0000:00/0000:00:04.0/nvme/nvme0/nvme0c0n1"

static struct fakesys f;

static int make(void **state)
{
	(void)state;
	fakesys_init(&f);
	fakesys_block(&f, 1, HEAD, 2048);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	fakesys_deinit(&f);
	return 0;
}

static enum nvmehead look(const char *folder)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/devices/%s", f.top, folder);
	return nvmehead_look(f.top, path);
}

static void test_single(void **state)
{
	(void)state;
	assert_int_equal(look(HEAD), NVMEHEAD_FAR); /* its way is gone */
	fakesys_block(&f, 0, WAY, 2048);
	assert_int_equal(look(HEAD), NVMEHEAD_SINGLE);
	/* Ways of others, and what looks a little like one of its own. */
	fakesys_block(&f, 0, "pci0000:00/0000:00:04.0/nvme/nvme0/nvme0c0n2", 2048);
	fakesys_block(&f, 0, "pci0000:00/0000:00:04.0/nvme/nvme0/nvme0c0n11", 2048);
	fakesys_block(&f, 0, "pci0000:00/0000:00:05.0/nvme/nvme1/nvme1c1n1", 2048);
	fakesys_block(&f, 0, "pci0000:00/0000:00:04.0/nvme/nvme0/nvme0c0n1p1", 2048);
	fakesys_block(&f, 2, "virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1", 1024);
	assert_int_equal(look(HEAD), NVMEHEAD_SINGLE);
}

static void test_several(void **state)
{
	(void)state;
	fakesys_block(&f, 0, WAY, 2048);
	fakesys_block(&f, 0, "pci0000:00/0000:00:05.0/nvme/nvme1/nvme0c1n1", 2048);
	assert_int_equal(look(HEAD), NVMEHEAD_SEVERAL);
}

static void test_far(void **state)
{
	(void)state;
	fakesys_block(&f, 0, "virtual/nvme-fabrics/ctl/nvme0/nvme0c0n1", 2048);
	assert_int_equal(look(HEAD), NVMEHEAD_FAR);
}

static void test_none(void **state)
{
	(void)state;
	fakesys_block(&f, 3, "pci0000:00/0000:00:04.0/nvme/nvme5/nvme5n1", 2048);
	fakesys_block(&f, 4, "virtual/block/dm-0", 2048);
	assert_int_equal(look("pci0000:00/0000:00:04.0/nvme/nvme5/nvme5n1"), NVMEHEAD_NONE);
	assert_int_equal(look("virtual/block/dm-0"), NVMEHEAD_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_single, make, clean),
		cmocka_unit_test_setup_teardown(test_several, make, clean),
		cmocka_unit_test_setup_teardown(test_far, make, clean),
		cmocka_unit_test_setup_teardown(test_none, make, clean),
	};

	return cmocka_run_group_tests_name("nvmehead", tests, NULL, NULL);
}
