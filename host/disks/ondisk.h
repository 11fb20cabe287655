/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a block device lies, as a whole, on one bare disk, which the writer and any
 * boot kernel find by themselves: beneath partitions and the device mapper.
 */
#ifndef HOST_ONDISK_H
#define HOST_ONDISK_H

#include "base/err.h"
#include "host/disks/bottom.h"
#include "host/disks/extentlist.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ONDISK_PIECES_MAX 256u

/* A part of the device that is in one piece on the disk. */
struct ondisk_piece {
	uint64_t at, length; /* of the device */
	uint64_t offset;     /* on the disk */
};

struct ondisk {
	char name[64]; /* the device's, for messages: "/dev/dm-1" */
	dev_t disk;
	char disk_name[64]; /* "/dev/vda" */
	char folder[128];   /* the disk's, "/sys/dev/block/254:0" */
	uint64_t disk_bytes;
	bool encrypted; /* dm-crypt lies in between: what is read there is not what the disk has */
	uint32_t count;
	struct ondisk_piece pieces[ONDISK_PIECES_MAX];
};

/*
 * ERR_REFUSED, with what is in the way: it lies on several disks or on none (RAID,
 * striped, zram, a file behind a loop device), on one that is to be seen several times, or
 * that needs a network or a process.
 */
err_t ondisk_find(dev_t dev, struct ondisk *out) ERR_CHECK;

/*
 * Extents of the device, as extents of the disk, in the same order, put at the end of out.
 * ERR_REFUSED: some lie nowhere, or not in whole 4 KiB blocks of the disk.
 */
err_t ondisk_map(const struct ondisk *o, const struct extentlist *in, struct extentlist *out)
	ERR_CHECK;

/* For ondisk_find and its tests: take one piece that bottom_find has told; ctx is a
 * struct ondisk. */
err_t ondisk_take(const struct bottom *b, void *ctx) ERR_CHECK;

#endif
