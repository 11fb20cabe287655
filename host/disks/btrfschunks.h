/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where btrfs has its chunks: files lie at addresses of the filesystem's own (FIEMAP
 * gives those), and chunks say where these are on a device.
 */
#ifndef HOST_BTRFSCHUNKS_H
#define HOST_BTRFSCHUNKS_H

#include "base/err.h"
#include "host/disks/extentlist.h"

#include <linux/btrfs.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct btrfs_place {
	uint64_t logical, length;
	uint64_t profile; /* 0: single, one copy on one device */
	uint64_t devid;	  /* of its device, if single */
	uint64_t offset;  /* on that device */
};

struct btrfschunks {
	struct btrfs_place *list;
	uint32_t count, room;
	uint64_t devid; /* of the device that they are looked for on */
};

/* All zero: empty. */
void btrfschunks_deinit(struct btrfschunks *c);

/* By any open file of it. *dev: its device, and out->devid. ERR_REFUSED: it has several; a
 * seed that it was sprouted from is not counted by the kernel. */
err_t btrfschunks_read(int fd, const char *path, dev_t *dev, struct btrfschunks *out) ERR_CHECK;

/* For btrfschunks_read and its tests: what BTRFS_IOC_TREE_SEARCH_V2 has found in n bytes;
 * *next: the chunk address to go on from. */
err_t btrfschunks_take(const uint8_t *buf, size_t n, uint32_t items, struct btrfschunks *out,
		       uint64_t *next) ERR_CHECK;

/* Addresses of the filesystem, as extents of its device at the end of out. ERR_REFUSED:
 * another profile than single, or another device (a seed); ERR_CORRUPT: no chunk has them. */
err_t btrfschunks_map(const struct btrfschunks *c, const char *path, uint64_t logical,
		      uint64_t length, struct extentlist *out) ERR_CHECK;

#define CLEANUP_BTRFSCHUNKS __attribute__((cleanup(btrfschunks_deinit)))

#endif
