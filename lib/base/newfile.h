/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that gets its name when it is whole: written as PATH.partial in the
 * same directory, then flushed and renamed.
 */
#ifndef BASE_NEWFILE_H
#define BASE_NEWFILE_H

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct newfile {
	char path[PATH_MAX], partial[PATH_MAX];
	bool replace;
	int fd; /* read and write; -1: closed */
};

/*
 * Mode 0600. ERR_REFUSED when PATH is there (unless replace, and a regular file), or
 * PATH.partial is there and no regular file; a regular one is left over from
 * an earlier run, and replaced.
 */
err_t newfile_create(struct newfile *f, const char *path, bool replace) ERR_CHECK;

/* Flush, rename, flush the directory, close. On an error the file is gone.
 * ERR_REFUSED: PATH came into being, or another run replaced PATH.partial. */
err_t newfile_commit(struct newfile *f) ERR_CHECK;

/* Remove it; harmless after newfile_commit. */
void newfile_discard(struct newfile *f);

/* All of it at once: these bytes, in place of what is there. */
err_t newfile_put(const char *path, const void *bytes, size_t n) ERR_CHECK;

#endif
