/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is on one target. Disks that are slow to wake or come back, and reads that went wrong
 * once, are given another chance before anything follows from them. */
#ifndef RESUME_FIND_H
#define RESUME_FIND_H

#include "base/err.h"
#include "resume/images.h"

/*
 * Open the options' i-th target and read its superblocks into a new struct; of a LUKS
 * partition only whether an image is marked in it. What an earlier boot or host has left
 * undone there is finished. ERR_FORMAT: there is no image. ERR_CORRUPT, ERR_UNSUPPORTED:
 * something is there that cannot be used. Any other: nobody knows.
 */
err_t find_image(const struct options *o, unsigned int i, struct image *out) ERR_CHECK;

/* Of one in a LUKS partition that is open as path. On an error its target is closed. */
err_t find_in_luks(struct image *image, const char *path) ERR_CHECK;

#endif
