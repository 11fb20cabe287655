/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IMAGE_KEYLESS_H
#define IMAGE_KEYLESS_H

#include "base/err.h"
#include "formats/slot.h"
#include "target/target.h"

/*
 * All that can be checked of a sealed image without its key: checksums of directory,
 * index segments, sealed key and keyslots. Where the chunks are stands in the index, so
 * nothing is known of them, and who can write checksums can have made all of it.
 */
err_t keyless_check(const struct target *t, const struct slot *slot) ERR_CHECK;

#endif
