/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images of earlier boots, on the target or on the other configured ones: their
 * memory must never get control again once this host hibernates. */
#ifndef HOST_STALE_H
#define HOST_STALE_H

#include "base/err.h"
#include "config/config.h"
#include "target/target.h"

#include <stdbool.h>

/*
 * Retire what is on this target, if anything. ERR_IO or ERR_REFUSED when that
 * cannot be done, or cannot be known because a superblock is unreadable. *untouched
 * becomes false before anything is written.
 */
err_t stale_retire(const struct target *t, bool *untouched) ERR_CHECK;

/*
 * The same on all configured targets but the one in use. One that is not there is
 * a warning: should an image on it come back, its fingerprints have changed by then.
 */
err_t stale_retire_others(const struct config *config, const struct target *used,
			  bool *untouched) ERR_CHECK;

/*
 * Is there an image on this device, or may there be one? Nothing is written.
 * ERR_INVALID: there is no such device. why, of n bytes, says what is there.
 */
err_t stale_look(const char *device, bool *image, char *why, size_t n) ERR_CHECK;

#endif
