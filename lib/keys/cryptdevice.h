/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all that use libcryptsetup share: a device without its chatter, its errors as ours. */
#ifndef KEYS_CRYPTDEVICE_H
#define KEYS_CRYPTDEVICE_H

#include "base/err.h"

#include <libcryptsetup.h>
#include <stdint.h>

void cryptdevice_close(struct crypt_device **cd); /* *cd may be NULL */

#define CLEANUP_CRYPTDEVICE __attribute__((cleanup(cryptdevice_close)))

/* crypt_init. What went wrong is told by return values, nothing is printed. */
err_t cryptdevice_init(const char *path, struct crypt_device **cd) ERR_CHECK;

/* A negative return value as an error: the kind by its number. */
err_t cryptdevice_error(int r, const char *path, const char *what) ERR_CHECK;

/*
 * May a passphrase be tried on this keyslot, with so many bytes of memory? Who can write to the
 * disk says what that costs, up to days. ERR_NOMEM: too much memory, or more than minutes; the
 * text says what to do.
 */
err_t cryptdevice_check_cost(struct crypt_device *cd, int slot, uint64_t memory) ERR_CHECK;

#endif
