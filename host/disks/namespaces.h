/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is mounted in other mount namespaces: of containers, and of services with a view of
 * their own. As a rule these show the same filesystems in other places, and who
 * freezes and watches ours has all.
 */
#ifndef HOST_NAMESPACES_H
#define HOST_NAMESPACES_H

#include "base/err.h"
#include "host/disks/mounts.h"

/*
 * ERR_REFUSED: a writable filesystem on a disk is mounted in one of them and is none of ours
 * (all those of this process, read-only ones too); which, and whose. Namespaces that no
 * process is in are not seen.
 */
err_t namespaces_check(const struct mounts *ours) ERR_CHECK;

/* For that and its tests: the first of theirs that is on a disk and none of ours, or NULL. */
const struct mount *namespaces_alone(const struct mounts *theirs, const struct mounts *ours);

#endif
