/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HOST_FSPATH_H
#define HOST_FSPATH_H

#include "base/err.h"

#include <stddef.h>

/*
 * The path of an open file from its filesystem's own root, whatever is mounted where.
 * path: one of its names. ERR_REFUSED: it cannot be told.
 */
err_t fspath_of(int fd, const char *path, char *out, size_t n) ERR_CHECK;

/* For fspath_of and its tests: by the text of /proc/self/mountinfo (changed by it), the
 * mount's id and the real path. */
err_t fspath_by(char *text, unsigned long long mount_id, const char *real, char *out, size_t n)
	ERR_CHECK;

#endif
