/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A LUKS partition that the writer opens itself: its volume key and geometry, by
 * libcryptsetup; and a token in its LUKS2 header that says whether an image is in
 * it, so that a boot asks for its passphrase only then.
 */
#ifndef KEYS_VOLUME_H
#define KEYS_VOLUME_H

#include "base/encryptedarea.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * out->start counts from the device's beginning. ERR_FORMAT: no LUKS there; ERR_AUTH:
 * no keyslot opens with this passphrase; ERR_UNSUPPORTED: with integrity, or being
 * encrypted anew.
 */
err_t volume_open(const char *device, const char *passphrase, size_t n, struct encrypted_area *out)
	ERR_CHECK;

/* The same without the key, which is zero then: no passphrase is needed. */
err_t volume_describe(const char *device, struct encrypted_area *out) ERR_CHECK;

/* LUKS2 only, else ERR_UNSUPPORTED. Returns when the header is on the medium. */
err_t volume_mark(const char *device, bool image) ERR_CHECK;
err_t volume_marked(const char *device, bool *image) ERR_CHECK;

#endif
