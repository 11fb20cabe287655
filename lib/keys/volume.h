/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A LUKS partition that the writer opens itself: its volume key and geometry, by
 * libcryptsetup; and a token in its LUKS2 header that says whether an image is in
 * it, so that a boot asks for its passphrase only then; and what a boot that could not open
 * it has decided.
 */
#ifndef KEYS_VOLUME_H
#define KEYS_VOLUME_H

#include "base/encryptedarea.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * out->start counts from the device's beginning. ERR_FORMAT: no LUKS there; ERR_AUTH:
 * no keyslot opens with this passphrase; ERR_UNSUPPORTED: with integrity, being
 * encrypted anew, or with another cipher than the usual ones.
 */
err_t volume_open(const char *device, const char *passphrase, size_t n, struct encrypted_area *out)
	ERR_CHECK;

/* The same without the key, which is zero then: no passphrase is needed. */
err_t volume_describe(const char *device, struct encrypted_area *out) ERR_CHECK;

/* What the token says; all but the first: an image is in it, or may be. */
enum volume_image {
	VOLUME_NONE, /* there is no token */
	VOLUME_IMAGE,
	VOLUME_SKIPPED,	  /* a boot went on beside it: no other may resume it unasked */
	VOLUME_DISCARDED, /* no boot may resume it; who opens it next retires it */
};

/* LUKS2 only, else ERR_UNSUPPORTED. Returns when the header is on the medium. */
err_t volume_set(const char *device, enum volume_image image) ERR_CHECK;
err_t volume_get(const char *device, enum volume_image *image) ERR_CHECK;

/* The same with VOLUME_IMAGE or VOLUME_NONE, and whether it is any but VOLUME_NONE. */
err_t volume_mark(const char *device, bool image) ERR_CHECK;
err_t volume_marked(const char *device, bool *image) ERR_CHECK;

#endif
