/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an ext2, ext3 or ext4 says itself of the file that an image is in, without being
 * mounted. */
#ifndef RESUME_EXTFILE_H
#define RESUME_EXTFILE_H

#include "base/err.h"
#include "config/pins.h"
#include "fingerprint/disk.h"

/*
 * Does the image at the pinned place of this disk ("/dev/vda") lie where its filesystem
 * has the file? Nothing to check when the pin names none. ERR_CORRUPT: no, or the journal
 * is not empty: it was mounted since. ERR_REFUSED: filesystem or file are not there. All other
 * errors say nothing of the image: it could not be looked at. where: NULL but in tests.
 */
err_t extfile_check(const struct disk_where *where, const struct pin *pin, const char *disk)
	ERR_CHECK;

/* The same of the filesystem that begins at start of the disk and is open as path. */
err_t extfile_check_at(const struct pin *pin, const char *path, uint64_t start) ERR_CHECK;

#endif
