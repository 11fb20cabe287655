/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a file lies on its filesystem's block device, so that it can be written to
 * beside the filesystem. */
#ifndef HOST_FILEMAP_H
#define HOST_FILEMAP_H

#include "base/err.h"
#include "host/disks/extentlist.h"

#include <linux/fiemap.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct filemap {
	char type[8]; /* of the filesystem: "ext", "xfs", "btrfs" */
	dev_t dev;
	struct extentlist extents; /* in the file's order, without what is behind its last 4 KiB */
};

void filemap_deinit(struct filemap *m);

/*
 * By FIEMAP, of a regular file that is open. frozen: its filesystem is, so there is
 * nothing to be written first, and trying could wait for ever. ERR_REFUSED: a
 * filesystem that is not understood, a file that cannot be written to in this way (holes,
 * shared or compressed extents, copy on write, ...), or one that has lost its name, path.
 */
err_t filemap_read(int fd, const char *path, bool frozen, struct filemap *out) ERR_CHECK;

/*
 * For filemap_read and its tests: one extent, which must go on where the file was
 * known up to, *logical, and nowhere behind the end. Does the kernel say of it that it
 * may be written to raw? Its place is the filesystem's to understand.
 */
err_t filemap_check(const struct fiemap_extent *e, const char *path, uint64_t end,
		    uint64_t *logical) ERR_CHECK;

#define CLEANUP_FILEMAP __attribute__((cleanup(filemap_deinit)))

#endif
