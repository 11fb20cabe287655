/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cpio "newc" archives, as the kernel unpacks them (kernel source:
 * Documentation/driver-api/early-userspace/buffer-format.rst).
 */
#ifndef FORMATS_CPIO_H
#define FORMATS_CPIO_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that cpio_encode_file needs for a file of n bytes with this name. */
size_t cpio_file_bytes(const char *name, size_t n);

/* An archive with one regular file (mode 0600) and a trailer, padded to 4 bytes. */
void cpio_encode_file(const char *name, const void *data, size_t n, uint8_t *out);

/* One entry's header, of an archive that arrives as a stream. */
#define CPIO_HEADER_BYTES 110u

struct cpio_entry {
	uint32_t mode;
	uint64_t size;	     /* of the file's data */
	uint32_t name_bytes; /* with its NUL; follows the header */
};

/* ERR_FORMAT when it is no newc header, ERR_CORRUPT when its numbers are bad. */
err_t cpio_decode_header(const uint8_t in[CPIO_HEADER_BYTES], struct cpio_entry *out) ERR_CHECK;

/* Padding after header and name, and after the data. */
size_t cpio_name_padding(const struct cpio_entry *e);
size_t cpio_data_padding(const struct cpio_entry *e);

#endif
