/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filesystems, out of /proc/self/mountinfo. */
#ifndef HOST_MOUNTS_H
#define HOST_MOUNTS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mount {
	unsigned int id;  /* as statx() says it */
	dev_t superblock; /* st_dev of most files in it */
	const char *type;
	const char *path;
	const char *source;
	bool writable; /* its superblock is */
	bool again;    /* its superblock is also that of one before */
};

struct mounts {
	char *text; /* owned: what the strings point into */
	size_t count;
	struct mount *m; /* owned */
};

/*
 * The mounts of text (changed by it, and taken over with success) that are on disks, and those
 * of ZFS, in the order of mounting; without all those only whose superblock is writable.
 */
err_t mounts_parse_take(char *text, bool all, struct mounts *out) ERR_CHECK;
err_t mounts_read(struct mounts *out) ERR_CHECK;       /* the writable ones */
err_t mounts_read_all(struct mounts *out) ERR_CHECK;   /* read-only ones too */
err_t mounts_read_every(struct mounts *out) ERR_CHECK; /* of any kind */
void mounts_free(struct mounts *mounts);

/* Is it on a block device? Waits for no process. *dev is that one (one of them, for btrfs); 0: it
 * cannot be told. */
bool mounts_on_disk(const struct mount *m, dev_t *dev);

#endif
