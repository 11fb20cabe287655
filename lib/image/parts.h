/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of an image that are read as a whole. On an error nothing is changed. */
#ifndef IMAGE_PARTS_H
#define IMAGE_PARTS_H

#include "base/err.h"
#include "formats/hostinfo.h"
#include "formats/keyblock.h"
#include "formats/slot.h"
#include "keys/imagekeys.h"
#include "target/target.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Header of a VALID image: read, checksum checked, decoded. keys: of a sealed image; its
 * tag and the header's digest are checked first of all (ERR_AUTH). NULL: there are none,
 * and then the header of a sealed image is only what somebody says.
 */
err_t image_read_header(const struct target *t, const struct slot *slot,
			const struct image_keys *keys, struct hostinfo *info) ERR_CHECK;

/* The notes of a dump, checked, decrypted: *n bytes, at least 1, in a new buffer, which
 * the caller frees. ERR_AUTH also when they are sealed and keys is NULL. */
err_t image_read_notes(const struct target *t, const struct slot *slot,
		       const struct image_keys *keys, const struct hostinfo *info, uint8_t **notes,
		       size_t *n) ERR_CHECK;

/* Of a sealed image: what keys/seal.h opens. */
err_t image_read_sealed_key(const struct target *t, const struct slot *slot,
			    uint8_t block[KEYBLOCK_BYTES]) ERR_CHECK;

/* Of a sealed image: the copy of the keyslots, not authenticated, in a new buffer, which
 * the caller frees. *n is 0 when there is none. */
err_t image_read_keyslots(const struct target *t, const struct slot *slot, uint8_t **keyslots,
			  size_t *n) ERR_CHECK;

/* Bytes of a region, checksum verified, into a new buffer; the caller frees it.
 * The region is ERR_CORRUPT unless it lies within the image and has at most max bytes. */
err_t parts_read_region(const struct target *t, const struct slot *slot,
			const struct slot_region *region, size_t max, const char *what,
			uint8_t **out) ERR_CHECK;

#endif
