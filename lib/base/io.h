/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads and writes that end whole or with an error. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* what: names the file or device in the error's text. End of file is ERR_IO. */
err_t io_pread(int fd, void *buf, size_t n, uint64_t offset, const char *what) ERR_CHECK;
err_t io_pwrite(int fd, const void *buf, size_t n, uint64_t offset, const char *what) ERR_CHECK;
err_t io_fsync(int fd, const char *what) ERR_CHECK;

/*
 * A whole file (also one of /proc or /sys, whose size is not known before) into
 * a new buffer with a NUL after its n bytes; the caller frees it. At most max
 * bytes, more is ERR_INVALID. On error *out is unchanged.
 */
err_t io_read_file(const char *path, size_t max, char **out, size_t *n) ERR_CHECK;

/* The same, and the file is not left in the page cache: it would only make the
 * image larger. */
err_t io_read_file_once(const char *path, size_t max, char **out, size_t *n) ERR_CHECK;

#endif
