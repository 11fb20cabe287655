/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HOST_STABLENAME_H
#define HOST_STABLENAME_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* A name of a block device that it still has after a boot, by udev's links or the device
 * mapper's, or the one it was given where there is none; of a file its own. */
err_t stablename_of(const char *path, char *out, size_t n) ERR_CHECK;

/* Is it the kernel's own name of a block device, as /dev/sdb1, which after a boot another may
 * have, and does it have a stable one? Then that is in out. */
bool stablename_better(const char *path, char *out, size_t n);

#endif
