/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Page 0 of a target, past the page cache. When it is written is commit.c's. */
#ifndef IMAGE_SWAPAREA_H
#define IMAGE_SWAPAREA_H

#include "base/err.h"
#include "formats/swapheader.h"
#include "target/target.h"

/* ERR_IO: cannot be read. */
err_t swaparea_read(const struct target *t, enum swapheader *out) ERR_CHECK;

/*
 * Write the signature, flush, and read it back; nothing when it is there already,
 * but it is flushed. ERR_REFUSED: page 0 is not of a swap area, or not any more.
 */
err_t swaparea_set(const struct target *t, enum swapheader to) ERR_CHECK;

#endif
