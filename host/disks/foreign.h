/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What others have on a disk or partition, which an image would destroy. */
#ifndef HOST_FOREIGN_H
#define HOST_FOREIGN_H

#include "base/err.h"

#include <stdbool.h>

/* own_locator: it is a swap area in whose slots an image of ours lies (held.h), or has lain.
 * ERR_REFUSED: there is a filesystem, partition table or another hibernation; ours, and swap that
 * is not in use, may be there. */
err_t foreign_check(const char *path, bool own_locator) ERR_CHECK;

#endif
