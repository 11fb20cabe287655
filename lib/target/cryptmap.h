/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An encrypted area as a block device: the kernel's dm-crypt, told by ioctl, since
 * neither the writer nor the boot program has libdevmapper.
 */
#ifndef TARGET_CRYPTMAP_H
#define TARGET_CRYPTMAP_H

#include "base/encryptedarea.h"
#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

/*
 * Make the device, /dev/dm-N, whose name goes into path (of n bytes). name: of the
 * mapping, ended by cryptmap_close. The kernel wipes what it was told.
 * ERR_UNSUPPORTED: no device mapper, or it knows no such cipher; ERR_REFUSED: the
 * name is taken.
 */
err_t cryptmap_open(const char *name, dev_t disk, const struct encrypted_area *area, char *path,
		    size_t n) ERR_CHECK;

/* Nobody may have it open. One that is not there is no error. */
err_t cryptmap_close(const char *name) ERR_CHECK;

#endif
