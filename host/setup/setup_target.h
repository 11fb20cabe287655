/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of `dormouse setup` that is about targets: makes files, and pins where a boot
 * will look for images. */
#ifndef HOST_SETUP_TARGET_H
#define HOST_SETUP_TARGET_H

#include "base/err.h"
#include "config/config.h"
#include "config/pins.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Without a configured target the largest swap area in use becomes config's, if it is large
 * enough; prints so. All that are there are looked at, and nothing is changed on the disk.
 * ERR_INVALID: one is not there. ERR_REFUSED: one that cannot be one, or that no boot would
 * look at (of --target: not configured, nor pinned), or none: the text says what to do.
 */
err_t setup_target_choose(const struct pins *pins, struct config *config) ERR_CHECK;

/*
 * All of the configuration's targets: a file that is not there is made, size bytes long (0:
 * enough for the largest image); what is spread over a disk gets a pin, in place of all
 * that *pins had. Images of earlier boots are retired first, since their places may be
 * forgotten. Prints what it does. *pins is unchanged on error.
 */
err_t setup_target(const struct config *config, uint64_t size, struct pins *pins) ERR_CHECK;

/* Say where the size that was asked for, 0: none, is of no use: for files that are there. */
void setup_target_warn(const struct config *config, uint64_t size);

#endif
