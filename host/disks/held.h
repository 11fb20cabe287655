/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The places of a configured target where an image may be: of an earlier boot, and also
 * of one in which the target was something else (swap that is not in use now). */
#ifndef HOST_HELD_H
#define HOST_HELD_H

#include "base/err.h"
#include "host/disks/luksvolume.h"
#include "target/target.h"

#include <stdbool.h>

#define HELD_MAX 2 /* a device, or file, and the slots of an area that it was */

struct held {
	unsigned int count;
	struct target list[HELD_MAX];
	bool locator; /* the first is the slots of an area that is not in use, by its locator */
	char damaged[256]; /* why that locator leads nowhere, so that there is nothing to resume,
			    * and the area cannot be used; or empty */
	struct luksvolume volume; /* if it had to be opened for that */
};

/*
 * Open them. writable: a disk or partition to ourselves. None when there is nothing to look
 * at: swap in use holds no image, nor does a LUKS partition without a mark;
 * the former since it could not have been turned on.
 * ERR_INVALID: the target is not there. ERR_REFUSED: somebody uses it. Others: what it
 * holds cannot be known.
 */
err_t held_open(const char *name, bool writable, struct held *out) ERR_CHECK;
void held_close(struct held *h);

#endif
