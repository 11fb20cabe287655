/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the file behind a loop device lies on. */
#ifndef HOST_LOOPFILE_H
#define HOST_LOOPFILE_H

#include "base/err.h"
#include "host/disks/mounts.h"

#include <sys/types.h>

/*
 * The device that the file's filesystem is on; 0: it is in memory, or (btrfs) cannot be told, or
 * nothing is behind the loop device. ERR_REFUSED: the filesystem needs a process (FUSE), the
 * network, or is not known: it would wait for that while everything is frozen, and so would
 * whoever freezes what is on the loop device.
 */
err_t loopfile_device(dev_t loop, dev_t *out) ERR_CHECK;

/* The decision: on the first of these mounts with that superblock. file: for messages. */
err_t loopfile_judge(const struct mounts *every, dev_t superblock, const char *file, dev_t *out)
	ERR_CHECK;

#endif
