/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where bytes of a block device lie on bare disks, beneath partitions, device
 * mapper and md. */
#ifndef HOST_BOTTOM_H
#define HOST_BOTTOM_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define BOTTOM_FOLDER_MAX 128

/* A piece of a disk. */
struct bottom {
	dev_t disk;
	char folder[BOTTOM_FOLDER_MAX]; /* of the disk, "/sys/dev/block/254:0" */
	uint64_t bytes;			/* of the disk */
	uint64_t offset, length;
	uint64_t at; /* where that is in what was asked for; its start, for a RAID's superblock */
	bool raid;   /* superblock of a member of a RAID above, not what was asked for */
	bool scrambled; /* encrypted so that bytes which stay in the filesystem do not stay here */
	bool encrypted; /* by dm-crypt, in any way */
	bool paths;	/* the disk is to be seen several times (multipath); this is one */
};

typedef err_t (*bottom_fn)(const struct bottom *b, void *ctx);

/*
 * Every place of every disk that holds these bytes (whole sectors of 512), and the
 * superblocks of RAID members on the way. Nothing for what is in memory (ram,
 * zram), on nothing (zero), or in a file (loop): that one's filesystem has
 * places itself. ERR_REFUSED: something on the way is not understood.
 * ERR_INVALID: not whole sectors.
 */
err_t bottom_find(dev_t dev, uint64_t offset, uint64_t length, bottom_fn fn, void *ctx) ERR_CHECK;

/* The same by another /sys, for tests. */
err_t bottom_find_in(const char *sys, dev_t dev, uint64_t offset, uint64_t length, bottom_fn fn,
		     void *ctx) ERR_CHECK;

#endif
