/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking and comparing fingerprints (formats/prints.h): the writer takes them
 * right after the jump, the boot kernel and the restoring writer compare.
 *
 * A disk is known by its size, by its identity where both kernels see one, and by
 * the marks among its places, bytes that stay.
 */
#ifndef FINGERPRINT_FINGERPRINT_H
#define FINGERPRINT_FINGERPRINT_H

#include "base/err.h"
#include "fingerprint/disk.h"
#include "formats/prints.h"

/*
 * Fill in all digests; a PRINT_WANTED becomes a PRINT_LOG. Waits so long for
 * disks. ERR_IO: one does not appear or cannot be read; ERR_REFUSED: several look
 * like it.
 */
err_t fingerprint_take(const struct disk_where *where, unsigned int wait_ms, struct prints *prints)
	ERR_CHECK;

/*
 * Is everything as it was? ERR_CORRUPT: a disk is there and was written to;
 * ERR_IO: a disk does not appear within wait_ms, or cannot be read.
 */
err_t fingerprint_check(const struct disk_where *where, unsigned int wait_ms,
			const struct prints *prints) ERR_CHECK;

#endif
