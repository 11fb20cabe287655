/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A target as the configuration names it, and what that is now: where an image would
 * lie. All but whole devices are extents of one bare disk (lib/image/located.h).
 */
#ifndef HOST_LOCATION_H
#define HOST_LOCATION_H

#include "base/err.h"
#include "config/config.h"
#include "config/pins.h"
#include "host/disks/extentlist.h"
#include "host/disks/ondisk.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum location_kind {
	LOCATION_NONE,	   /* not found yet, or closed */
	LOCATION_DEVICE,   /* a disk or partition, the whole of it */
	LOCATION_SWAP,	   /* a swap area in use, on a block device */
	LOCATION_SWAPFILE, /* the same in a file */
	LOCATION_FILE,	   /* an ordinary file */
	LOCATION_LUKS,	   /* a LUKS partition that the writer opens itself, "luks:DEVICE" */
};

struct location {
	enum location_kind kind;
	char name[CONFIG_TEXT_MAX]; /* as the configuration has it */
	int fd;			    /* of a file, for reading; -1 */
	dev_t dev;		    /* the device that the extents are of: itself, or the file's */
	uint64_t swap_page;	    /* of swap in use: its first page on dev */
	uint64_t room; /* bytes that an image may have now, at most; of swap not all that is free */
	struct extentlist slots; /* of swap in use: what is reserved, places on dev */

	/* By location_map: for a DEVICE no extents, and all else only where it can be
	 * (disk.count). */
	struct ondisk disk;
	struct extentlist extents; /* of the disk */
	struct pin pin;		   /* of now; of a DEVICE: as if it were swap in use */
};

/*
 * What is this? Opens it; location_deinit closes, also after errors. ERR_INVALID: it is
 * not there, or nothing that can be a target. ERR_REFUSED: it cannot be one, with the
 * reason.
 */
err_t location_find(const char *name, struct location *out) ERR_CHECK;
void location_deinit(struct location *l);

/*
 * Where it lies now: the disk, the place to pin, and extents (of swap: the slots that are
 * reserved). Done by location_find; again after slots were reserved, and when everything is
 * frozen, since files move.
 */
err_t location_map(struct location *l, bool frozen) ERR_CHECK;

/* The device's name in /dev; of "luks:DEVICE" without what stands before it. */
const char *location_device(const struct location *l);

/* Is it spread over a disk, so that a boot needs a pin to find it? */
bool location_is_located(const struct location *l);
bool location_is_swap(const struct location *l);

/* "the swap area", "the swap file", ...: for messages */
const char *location_what(const struct location *l);

/* Where on the disk the locator of an image would be that was written when it was swap in
 * use; 0: that is not known, or it can be none. */
uint64_t location_locator(const struct location *l);

/*
 * Put the pin by which a boot finds it into pins. A DEVICE has one only if it had one before
 * that setup: swap that is off now may be on when it is written to. It is then where the area
 * is now, whatever became of its disk since. ERR_INVALID: as of pins_set.
 */
err_t location_pin(const struct location *l, const struct pins *before, struct pins *pins)
	ERR_CHECK;

/* ERR_REFUSED: setup has not pinned it, or it has moved since; says what to run. A DEVICE needs
 * no pin, but one that is there must be its own: a boot goes by it first. */
err_t location_check_pin(const struct location *l, const struct pins *pins) ERR_CHECK;

/* The same of the name by which a boot asks an ext filesystem for it; not while that is frozen. */
err_t location_check_ext(const struct location *l, const struct pins *pins) ERR_CHECK;

#endif
