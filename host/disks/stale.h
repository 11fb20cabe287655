/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images of earlier boots, on the target or on the other configured ones: their
 * memory must never get control again once this host hibernates. */
#ifndef HOST_STALE_H
#define HOST_STALE_H

#include "base/err.h"
#include "config/config.h"

#include <stdbool.h>

/*
 * Retire what is on this target, or on any of the configured ones. ERR_IO or ERR_REFUSED when
 * that cannot be done, or cannot be known because a superblock is unreadable. *untouched becomes
 * false before anything is written. A target that is not there is a warning: should an image
 * on it come back, its fingerprints have changed by then.
 */
err_t stale_retire(const char *name, bool *untouched) ERR_CHECK;
err_t stale_retire_all(const struct config *config, bool *untouched) ERR_CHECK;

/*
 * Is there an image on this target, or may there be one? Nothing is written.
 * ERR_INVALID: there is no such target. why, of n bytes, says what is there.
 */
err_t stale_look(const char *name, bool *image, char *why, size_t n) ERR_CHECK;

#endif
