/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/io.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

err_t io_pread(int fd, void *buf, size_t n, uint64_t offset, const char *what)
{
	uint8_t *p = buf;

	while (n) {
		ssize_t got = pread(fd, p, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno("reading %s at byte %llu", what,
					 (unsigned long long)offset);
		if (got == 0)
			return err_new(ERR_IO, "reading %s: it ends at byte %llu", what,
				       (unsigned long long)offset);
		p += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return NULL;
}

err_t io_pwrite(int fd, const void *buf, size_t n, uint64_t offset, const char *what)
{
	const uint8_t *p = buf;

	while (n) {
		ssize_t put = pwrite(fd, p, n, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_errno("writing %s at byte %llu", what,
					 (unsigned long long)offset);
		p += put;
		n -= (size_t)put;
		offset += (uint64_t)put;
	}
	return NULL;
}

err_t io_fsync(int fd, const char *what)
{
	if (fsync(fd))
		return err_errno("flushing %s", what);
	return NULL;
}

static err_t read_all(int fd, const char *path, size_t max, char **out, size_t *n)
{
	CLEANUP_FREE char *buf = NULL;
	size_t room = 0, used = 0;

	for (;;) {
		ssize_t got;

		if (used + 1 >= room) {
			char *more;

			room = room ? room * 2 : 16384;
			more = realloc(buf, room);
			if (!more)
				return err_new(ERR_NOMEM, "reading %s", path);
			buf = more;
		}
		got = read(fd, buf + used, room - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno("reading %s", path);
		if (got == 0)
			break;
		used += (size_t)got;
		if (used > max)
			return err_new(ERR_INVALID, "%s is larger than %zu bytes", path, max);
	}
	buf[used] = '\0';
	*out = buf;
	*n = used;
	buf = NULL;
	return NULL;
}

err_t io_read_file(const char *path, size_t max, char **out, size_t *n)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno("opening %s", path);
	return read_all(fd, path, max, out, n);
}

err_t io_read_file_once(const char *path, size_t max, char **out, size_t *n)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno("opening %s", path);
	TRY(read_all(fd, path, max, out, n));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return NULL;
}
