/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A target that is found by its pin: a place on a bare disk, whatever this kernel calls it. */
#ifndef RESUME_PINNED_H
#define RESUME_PINNED_H

#include "base/err.h"
#include "config/pins.h"
#include "fingerprint/disk.h"
#include "target/target.h"

#include <stdbool.h>

/* Is a disk of that size and identity there? where: NULL but in tests. */
bool pinned_is_there(const struct disk_where *where, const struct pin *pin);

/*
 * Open it for writing, on the disk that has something of ours at the place. path, of
 * TARGET_NAME_MAX, is then the disk's ("/dev/vda"). ERR_FORMAT: no disk has, there is no
 * image. ERR_INVALID: no disk of that size and identity is there, nor one that may be it (its
 * identity is not known; or, for a locator, whatever it is) and has something of ours.
 * ERR_REFUSED: several have, and not all of them say that there is no image. Otherwise what the disk
 * that has something gave; or, if none has, one that cannot be opened or read there, which is
 * only logged where another one has.
 */
err_t pinned_open(const struct disk_where *where, const struct pin *pin, struct target *out,
		  char *path) ERR_CHECK;

/*
 * The same, and where there is no locator, or not the disk that it would be on, by the name: the
 * area may have been off when it was written to, as a device, to ourselves; then path is empty.
 * Errors are of pinned_open; also where the disk is not there, and the name leads to no image.
 */
err_t pinned_open_or_named(const struct disk_where *where, const char *name, const struct pin *pin,
			   struct target *out, char *path) ERR_CHECK;

#endif
