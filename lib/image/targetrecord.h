/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the target is, as a handoff says it: extents of a whole device, or the place of
 * the extent map on a bare disk. */
#ifndef IMAGE_TARGETRECORD_H
#define IMAGE_TARGETRECORD_H

#include "base/err.h"
#include "formats/handoff.h"
#include "target/target.h"

#include <stdbool.h>

/* Size, name and place of the target into the handoff. ERR_INVALID: a whole device in more
 * pieces than a handoff can say; located_check's errors. */
err_t targetrecord_put(const struct target *t, struct handoff *h) ERR_CHECK;

/*
 * Open the device at path as the one that the handoff means. ERR_REFUSED: it has another
 * size, or its map is of another image. Otherwise the errors of target_open_extents and
 * located_open. What the slots say is not looked at.
 */
err_t targetrecord_open(const struct handoff *h, const char *path, bool writable,
			struct target *out) ERR_CHECK;

#endif
