/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/swapslots.h"

#include "base/util.h"

#include <errno.h>
#include <linux/suspend_ioctls.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define BUSY_TRIES 50 /* of 0.1 s */

/* EBUSY: a suspend or reboot is on its way, and may pass. */
static int snapshot_ioctl(int snapshot, unsigned long request, void *arg)
{
	for (int i = 0; ioctl(snapshot, request, arg); i++) {
		if (errno != EBUSY || i == BUSY_TRIES)
			return -1;
		usleep(100000);
	}
	return 0;
}

/* As the kernel writes it in 32 bits (new_encode_dev). */
static uint32_t encode_dev(dev_t dev)
{
	return (minor(dev) & 0xff) | major(dev) << 8 | (minor(dev) & ~0xffu) << 12;
}

err_t swapslots_choose(int snapshot, dev_t dev, uint64_t first_page, uint64_t *available)
{
	struct resume_swap_area area = {.offset = (__kernel_loff_t)first_page,
					.dev = encode_dev(dev)};
	__kernel_loff_t bytes = 0;

	if (snapshot_ioctl(snapshot, SNAPSHOT_SET_SWAP_AREA, &area))
		return errno == ENODEV ? err_new(ERR_REFUSED, "the kernel knows no swap area there")
				       : err_errno("choosing the swap area");
	if (snapshot_ioctl(snapshot, SNAPSHOT_AVAIL_SWAP_SIZE, &bytes))
		return err_errno("asking how much swap is free");
	*available = (uint64_t)bytes;
	return NULL;
}

err_t swapslots_reserve(int snapshot, uint64_t bytes, struct extentlist *out)
{
	for (uint64_t got = 0; got < bytes; got += PAGE_BYTES) {
		__kernel_loff_t place = 0;

		if (snapshot_ioctl(snapshot, SNAPSHOT_ALLOC_SWAP_PAGE, &place)) {
			if (errno == ENOSPC)
				break;
			return err_errno("reserving swap");
		}
		TRY(extentlist_add(out, (uint64_t)place, PAGE_BYTES));
	}
	/* On SSDs the kernel hands out clusters in any order. */
	extentlist_sort(out);
	return extentlist_keep_longest(out, EXTENTS_MAX);
}
