/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Holding the host still around the jump. The order: /dev/snapshot opened (lock
 * against other hibernation, PM notifiers), user processes frozen, filesystems
 * frozen. After the return: filesystems thawed, processes, /dev/snapshot closed.
 *
 * The caller has all signals blocked meanwhile: whoever dies here leaves
 * filesystems frozen for good.
 */
#ifndef HOST_FREEZE_H
#define HOST_FREEZE_H

#include "base/err.h"
#include "host/disks/mounts.h"
#include "host/freezer.h"

#include <stdbool.h>
#include <stddef.h>

#define FREEZE_MAX FREEZER_MAX /* filesystems on disks */

struct freeze {
	int snapshot;	/* /dev/snapshot */
	bool processes; /* frozen */
	struct mounts mounts;
	size_t count;  /* of those opened */
	size_t frozen; /* of them, the first so many have been dealt with */
	struct {
		int fd;
		bool ours; /* frozen by us, to be thawed by us */
		const struct mount *mount;
	} fs[FREEZE_MAX];
	struct freezer freezer; /* while filesystems are being frozen */
};

/* Open /dev/snapshot. ERR_REFUSED when hibernation is disabled or going on. */
err_t freeze_init(struct freeze *f) ERR_CHECK;

/* Can all be reached that will have to be frozen? ERR_REFUSED: not that one. */
err_t freeze_check(void) ERR_CHECK;

/* Thaws first, if need be. */
void freeze_deinit(struct freeze *f);

/* Everything; on an error everything is thawed again. ERR_IO also when a filesystem does not
 * get frozen within half a minute (freezer.h). */
err_t freeze_all(struct freeze *f) ERR_CHECK;

/*
 * The filesystems, then the processes; goes on after errors and returns the
 * first. Only when no image on any medium is valid: what happens next
 * is written to disks. Harmless when nothing is frozen.
 */
err_t freeze_thaw(struct freeze *f) ERR_CHECK;

#endif
