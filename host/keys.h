/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folder of the machine's keys, and what it should hold. */
#ifndef HOST_KEYS_H
#define HOST_KEYS_H

#include "base/err.h"
#include "config/pins.h"
#include "keys/openable.h"
#include "keys/seal.h"

#include <stddef.h>

#define KEYS_DIR    "/etc/dormouse"
#define KEYS_HEADER KEYS_DIR "/keys.luks" /* the secret, behind passphrases and tokens */
#define KEYS_AUTH   KEYS_DIR "/auth.key"  /* a part of it: who has it can make images */

/*
 * What a boot that can use tokens of these kinds (a bit each) will be able to open of it.
 * ERR_REFUSED: nothing, and the text says why and what to do; *out is filled in all the same.
 */
err_t keys_openable(unsigned int kinds, struct openable *out) ERR_CHECK;

/*
 * keys.luks as a boot will need it: a copy, as it is, travels with each image. ERR_REFUSED
 * when it could not be opened there (damaged, gone, no keyslot that a boot would open), or is
 * not what the pins say; the text has what to do.
 * bytes: to be freed; *slots: passphrases and tokens that will open it.
 */
err_t keys_header(const struct pins *pins, uint8_t **bytes, size_t *n, unsigned int *slots)
	ERR_CHECK;

/* For whom images are sealed, by the pins and auth.key. To be kept in locked memory. */
err_t keys_recipient(const struct pins *pins, struct seal_recipient *out) ERR_CHECK;

#endif
