/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An ordinary file that images go to: made once, by `dormouse setup`. */
#ifndef HOST_TARGETFILE_H
#define HOST_TARGETFILE_H

#include "base/err.h"

#include <stdint.h>

/*
 * A new file of so many bytes, all of them allocated, for root alone; on btrfs without copy
 * on write; cleared as below. On the medium when this returns. ERR_NOSPACE: the filesystem has no
 * room; then there is no file. ERR_REFUSED: it exists, or the filesystem cannot do that;
 * the text says what to do.
 */
err_t targetfile_create(const char *path, uint64_t bytes) ERR_CHECK;

/*
 * Zeros over its beginning, through the filesystem and onto the medium. A boot reads the blocks
 * themselves, and what is allocated keeps what was in them: whoever could fill the free space
 * before, with an image of their own making, would have it resumed.
 */
err_t targetfile_clear(const char *path) ERR_CHECK;

/* A file that exists and holds something else than an image that was given up must not be one's
 * target. ERR_REFUSED: it does not begin with zeros, nor with such a one. */
err_t targetfile_check_empty(const char *path) ERR_CHECK;

#endif
