/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sealed key of an image that does not count any more: while it lies there, the
 * image can be decrypted by who knows the secret, or will. Nothing is ever overwritten
 * but a sealed key of this very image: an old superblock is believed no further.
 */
#ifndef IMAGE_KEYWIPE_H
#define IMAGE_KEYWIPE_H

#include "base/err.h"
#include "formats/slot.h"
#include "target/target.h"

#include <stdbool.h>

/* Is there one where the slot says, and the slot is of a sealed image? */
err_t keywipe_is_left(const struct target *t, const struct slot *slot, bool *left) ERR_CHECK;

/* Zeros over it, flushed, read back. Nothing is done where there is none. */
err_t keywipe(const struct target *t, const struct slot *slot) ERR_CHECK;

#endif
