/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The directory: where the segments of the index are. docs/image-format.md,
 * "Directory".
 */
#ifndef FORMATS_DIRECTORY_H
#define FORMATS_DIRECTORY_H

#include "base/err.h"
#include "formats/slot.h"

#include <stddef.h>
#include <stdint.h>

#define DIRECTORY_MAX	    (16u << 20) /* so that it can be read with bounded memory */
#define DIRECTORY_TAG_BYTES 16u

/* Where one segment is. */
struct index_place {
	uint64_t offset; /* multiple of 4096 */
	uint32_t length;
	uint32_t crc32c;
	uint8_t tag[DIRECTORY_TAG_BYTES]; /* of a sealed image's segment; else zero */
};

/* Bytes of a directory of count segments; encode into that many bytes. sealed: of a
 * sealed image, where places have tags. */
size_t directory_bytes(uint32_t count, bool sealed);
void directory_encode(const struct index_place *places, uint32_t count,
		      const uint8_t nonce[NONCE_BYTES], bool sealed, uint8_t *out);

/* The segment count of an encoded directory, checked against n and nonce. */
err_t directory_decode(const uint8_t *buf, size_t n, const uint8_t nonce[NONCE_BYTES], bool sealed,
		       uint32_t *count) ERR_CHECK;

/* Its place number i < count, checked: aligned, length sane, within image_end. */
err_t directory_place(const uint8_t *buf, uint32_t i, bool sealed, uint64_t image_end,
		      struct index_place *out) ERR_CHECK;

#endif
