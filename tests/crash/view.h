/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The target on a simulated disk, as the programs find it: the whole of the disk, or, on a
 * located one, slots of a swap area whose page 0 is the disk's. There superblocks, map and
 * data lie where they lie on a whole disk; page 0 of the address space is at the end.
 */
#ifndef CRASH_VIEW_H
#define CRASH_VIEW_H

#include "disk.h"
#include "image/commit.h"

#define VIEW_MAP_BYTES 4096u
#define VIEW_MAP_AT    12288u

/* As a boot finds it. Close it. */
err_t view_boot(const struct disk *d, struct target *out) ERR_CHECK;

/* As who knows where it is: the program that has made it. */
err_t view_open(const struct disk *d, struct target *out) ERR_CHECK;

/* For a new image of this number, as the host does it. */
err_t view_make(const struct disk *d, unsigned int number, struct target *out) ERR_CHECK;

/*
 * Before swap can be turned on: finish what was cut short, as a boot does it. No error
 * where there is nothing that can be finished. c: what was found; may be NULL.
 */
err_t view_finish(const struct disk *d, struct commit *c) ERR_CHECK;

#endif
