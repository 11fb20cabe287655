/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does what is written somewhere reach a disk encrypted (dm-crypt)? */
#ifndef HOST_ENCRYPTED_H
#define HOST_ENCRYPTED_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

#define ENCRYPTED_SYS "/sys"

/*
 * sys: where sysfs is. True when whatever way leads down from this block device goes
 * through an encrypting mapping that cryptsetup made; in doubt false.
 */
bool encrypted_device(const char *sys, dev_t dev);

/* All devices of the filesystem that holds this file or folder. */
err_t encrypted_path(const char *path, bool *encrypted) ERR_CHECK;

/* Does this machine have any such mapping, so that its memory holds the keys? */
bool encrypted_any(const char *sys);

#endif
