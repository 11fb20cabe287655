/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of the device mapper: where the sectors of a device lie beneath it. */
#ifndef HOST_DMTABLE_H
#define HOST_DMTABLE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where a part of a device lies. Sectors have 512 bytes. */
struct dm_piece {
	bool nowhere;	/* zero or error: on no medium */
	bool all_paths; /* multipath: on the same place of each device beneath; dev is not set */
	bool scrambled; /* encrypted in a way by which bytes that stay do not stay */
	bool encrypted; /* by crypt, in any way */
	dev_t dev;
	uint64_t sector;
	uint64_t count; /* so many are together, at most as many as asked for */
};

/*
 * One line of a table, by its target's type and parameters as the kernel writes
 * them: count sectors from at, counted from the line's start. ERR_REFUSED: a type
 * or form that is not known.
 */
err_t dmtable_line(const char *type, const char *params, uint64_t at, uint64_t count,
		   struct dm_piece *out) ERR_CHECK;

/* The same by the kernel's own table of a device; at is counted from the device's start. */
err_t dmtable_find(dev_t dev, const char *name, uint64_t at, uint64_t count, struct dm_piece *out)
	ERR_CHECK;

/* Each line's type to fn, until an error. */
err_t dmtable_types(dev_t dev, const char *name, err_t (*fn)(const char *type, const char *name))
	ERR_CHECK;

#endif
