/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file that is gone when the test is, in $TMPDIR or /tmp. */
#ifndef UNIT_TEMPFILE_H
#define UNIT_TEMPFILE_H

#include "base/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct tempfile {
	char path[256];
	int fd;
};

static inline void tempfile_open(struct tempfile *f, uint64_t bytes)
{
	const char *dir = getenv("TMPDIR");

	snprintf(f->path, sizeof(f->path), "%s/dormouse-test-XXXXXX", dir ? dir : "/tmp");
	f->fd = mkstemp(f->path);
	if (f->fd < 0 || ftruncate(f->fd, (off_t)bytes))
		abort();
}

static inline void tempfile_close(struct tempfile *f)
{
	unlink(f->path);
	close(f->fd);
}

/* Turn one bit around. */
static inline void tempfile_flip(struct tempfile *f, uint64_t offset, uint8_t mask)
{
	uint8_t b;

	if (pread(f->fd, &b, 1, (off_t)offset) != 1)
		abort();
	b ^= mask;
	if (pwrite(f->fd, &b, 1, (off_t)offset) != 1)
		abort();
}

#endif
