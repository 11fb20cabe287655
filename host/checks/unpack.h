/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file as a stream of bytes, of which a part may be compressed (by libarchive). */
#ifndef HOST_UNPACK_H
#define HOST_UNPACK_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNPACK_BUFFER 65536u

struct archive;

struct unpack {
	const char *path; /* borrowed */
	int fd;
	struct archive *packed; /* NULL while the file is read as it is */
	size_t at, end;		/* of what is in the buffer */
	uint8_t buffer[UNPACK_BUFFER];
};

/* Large: allocate it. path is borrowed until unpack_close. */
err_t unpack_open(struct unpack *u, const char *path) ERR_CHECK;
void unpack_close(struct unpack *u);

/* What follows is compressed, by anything that libarchive knows; once. */
err_t unpack_begin_packed(struct unpack *u) ERR_CHECK;

/* The next n bytes (at most UNPACK_BUFFER) without taking them; *got is less
 * than n only at the end. *p is good until the next call. */
err_t unpack_peek(struct unpack *u, size_t n, const uint8_t **p, size_t *got) ERR_CHECK;

/* Take n bytes: into buf, or nowhere. ERR_CORRUPT when there are fewer. */
err_t unpack_read(struct unpack *u, void *buf, size_t n) ERR_CHECK;
err_t unpack_skip(struct unpack *u, uint64_t n) ERR_CHECK;

#endif
