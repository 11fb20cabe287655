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

/* ERR_REFUSED: config_use_target() has given it one that no boot would look at, since the
 * configuration does not name it, and no pin would. */
err_t setup_target_check(const struct config *config) ERR_CHECK;

/*
 * All of the configuration's targets: a file that is not there is made, size bytes long (0:
 * enough for the largest image); what is spread over a disk gets a pin, in place of all
 * that *pins had. Without a configured target the largest swap area in use is taken, if
 * it is large enough. encrypted: images will be. Images of earlier boots are retired
 * first, since their places may be forgotten. Prints what it does. ERR_REFUSED: a target that
 * cannot be one, or none: the text says what to do. *pins is unchanged on error.
 */
err_t setup_target(const struct config *config, uint64_t size, bool encrypted, struct pins *pins)
	ERR_CHECK;

#endif
