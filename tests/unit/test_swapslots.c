/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: a device number of more than 8 bits of minor cut off; the
 * page number given as bytes; full swap taken for an error; extents left in the order in
 * which an SSD's clusters come.
 */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <linux/suspend_ioctls.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

/* A kernel's swap area of so many pages, which come from its end, in clusters. */
#define CLUSTER 8u

static struct {
	struct resume_swap_area area;
	uint64_t pages, taken;
	int busy;
} swap;

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	if (swap.busy && swap.busy--) {
		errno = EBUSY;
		return -1;
	}
	switch (request) {
	case SNAPSHOT_SET_SWAP_AREA:
		swap.area = *(struct resume_swap_area *)arg;
		return 0;
	case SNAPSHOT_AVAIL_SWAP_SIZE:
		*(__kernel_loff_t *)arg = (__kernel_loff_t)((swap.pages - swap.taken) * 4096);
		return 0;
	case SNAPSHOT_ALLOC_SWAP_PAGE:
		if (swap.taken == swap.pages) {
			errno = ENOSPC;
			return -1;
		}
		*(__kernel_loff_t *)arg =
			(__kernel_loff_t)((swap.pages - CLUSTER - swap.taken / CLUSTER * CLUSTER +
					   swap.taken % CLUSTER) *
					  4096);
		swap.taken++;
		return 0;
	}
	errno = EINVAL;
	return -1;
}

#define ioctl fake_ioctl
#include "host/disks/extentlist.c"
#include "host/disks/swapslots.c"

static void test_choose(void **state)
{
	uint64_t bytes = 0;

	(void)state;
	memset(&swap, 0, sizeof(swap));
	swap.pages = 80;
	swap.busy = 2;
	assert_ok(swapslots_choose(0, makedev(253, 0x1234), 33024, &bytes));
	assert_int_equal(bytes, 80 * 4096);
	assert_int_equal(swap.area.offset, 33024);
	assert_int_equal(swap.area.dev, 0x34 | 253 << 8 | 0x1200 << 12);
}

static void test_reserve(void **state)
{
	struct extentlist l = {0};

	(void)state;
	memset(&swap, 0, sizeof(swap));
	swap.pages = 80;
	assert_ok(swapslots_reserve(0, 19 * 4096 + 1, &l));
	assert_int_equal(swap.taken, 20);
	assert_int_equal(l.count, 2);
	assert_int_equal(l.list[0].start, 56 * 4096);
	assert_int_equal(l.list[0].length, 4 * 4096);
	assert_int_equal(l.list[1].start, 64 * 4096);
	assert_int_equal(l.list[1].length, 16 * 4096);
	extentlist_deinit(&l);
	swap.taken = 0; /* as closing /dev/snapshot does */
	assert_ok(swapslots_reserve(0, 1000 * 4096, &l));
	assert_int_equal(extentlist_bytes(&l), 80 * 4096);
	assert_int_equal(l.count, 1);
	extentlist_deinit(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_reserve),
	};

	return cmocka_run_group_tests_name("swapslots", tests, NULL, NULL);
}
