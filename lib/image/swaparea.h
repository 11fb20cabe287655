/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What speaks for an image beside its slots, past the page cache: the signature in page 0
 * of a swap area, or the locator in the last sector of its page. When it is written is
 * commit.c's. Of a locator, SWAPHEADER_SWAP means that its sector is as it was without an
 * image, MARKED that it is the locator of this map, NONE that it is anything else.
 */
#ifndef IMAGE_SWAPAREA_H
#define IMAGE_SWAPAREA_H

#include "base/err.h"
#include "formats/swapheader.h"
#include "target/target.h"

/* ERR_IO: cannot be read. A whole device with a locator in page 0 counts as SWAPHEADER_SWAP:
 * the image in its slots is none of the whole device. */
err_t swaparea_read(const struct target *t, enum swapheader *out) ERR_CHECK;

/*
 * Write signature or sector, flush, and read it back; nothing when it is there already,
 * but it is flushed. In the page of a whole area, what is left of a locator is zeroed with it
 * (locator_clear). ERR_REFUSED: page 0 is not of a swap area, or not any more; it
 * has a locator, and is the whole device; or the locator's sector is something else by now.
 */
err_t swaparea_set(const struct target *t, enum swapheader to) ERR_CHECK;

#endif
