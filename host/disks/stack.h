/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lies beneath a block device: partitions, device mapper, md, disks. */
#ifndef HOST_STACK_H
#define HOST_STACK_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Is a filesystem on this device safe to hibernate under? ERR_REFUSED when
 * something beneath it keeps books of its own that have not been shown to
 * survive (thin, cache, bcache, ...), or needs a process that is frozen, also beneath the file
 * of a loop device.
 */
err_t stack_check(dev_t dev) ERR_CHECK;

/* Is it a disk or a partition of one, which another kernel finds by itself? */
bool stack_is_disk(dev_t dev);

/* Its name in /dev, for messages; name of at least 64 bytes. */
void stack_name(dev_t dev, char *name, size_t n);

#endif
