/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "target/target.h"

#include "base/io.h"
#include "base/util.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

bool target_same_device(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode) &&
	       x.st_rdev == y.st_rdev;
}

static err_t file_read(const struct target *t, void *buf, size_t n, uint64_t place)
{
	return io_pread(t->fd, buf, n, place, t->name);
}

static err_t file_write(const struct target *t, const void *buf, size_t n, uint64_t place)
{
	return io_pwrite(t->fd, buf, n, place, t->name);
}

static err_t file_flush(const struct target *t)
{
	return io_fsync(t->fd, t->name);
}

static const struct target_device file_device = {file_read, file_write, file_flush};

static err_t open_error(const char *path)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
	case ENXIO:
	case ENODEV:
		return err_new(ERR_INVALID, "%s: %s", path, strerror(errno));
	case EBUSY:
		return err_new(ERR_REFUSED, "%s is in use: mounted, or part of another device",
			       path);
	default:
		return err_errno("opening %s", path);
	}
}

/* The size of what fd is open on. */
static err_t device_size(int fd, const char *path, uint64_t *bytes)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_errno("%s", path);
	if (S_ISREG(st.st_mode)) {
		*bytes = (uint64_t)st.st_size;
		return NULL;
	}
	if (ioctl(fd, BLKGETSIZE64, bytes))
		return err_errno("size of %s", path);
	return NULL;
}

/* Everything but the extents. */
static err_t open_device(struct target *t, const char *path, bool writable, bool exclusive)
{
	int flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC;
	CLEANUP_CLOSE int fd = -1;
	struct stat st;
	uint64_t bytes;

	/* Looked at before it is opened: opening a pipe or a tty can wait for ever. */
	if (stat(path, &st))
		return open_error(path);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return err_new(ERR_INVALID, "%s is neither a block device nor a file", path);
	if (exclusive && S_ISBLK(st.st_mode))
		flags |= O_EXCL;
	fd = open(path, flags | O_DIRECT);
	if (fd < 0 && errno == EINVAL)
		fd = open(path, flags);
	if (fd < 0)
		return open_error(path);
	TRY(device_size(fd, path, &bytes));
	memset(t, 0, sizeof(*t));
	snprintf(t->name, sizeof(t->name), "%s", path);
	t->device = &file_device;
	t->device_bytes = bytes;
	t->fd = fd;
	fd = -1;
	return NULL;
}

err_t target_open(struct target *t, const char *path, bool writable, bool exclusive)
{
	TRY(open_device(t, path, writable, exclusive));
	t->bytes = align_down(t->device_bytes, PAGE_BYTES);
	t->extents[0] = (struct extent){0, t->bytes};
	t->extent_count = 1;
	return NULL;
}

/* One extent by itself, and against those before it: an image must not
 * overwrite itself. */
static err_t check_extent(const struct target *t, const struct extent *extents, uint32_t i)
{
	const struct extent *e = &extents[i];

	if (!e->length || e->start % PAGE_BYTES || e->length % PAGE_BYTES)
		return err_new(ERR_INVALID, "%s: extent %u is not made of whole 4 KiB blocks",
			       t->name, i);
	if (e->start > t->device_bytes || e->length > t->device_bytes - e->start)
		return err_new(ERR_INVALID, "%s: extent %u ends at byte %llu, the device at %llu",
			       t->name, i, (unsigned long long)(e->start + e->length),
			       (unsigned long long)t->device_bytes);
	for (uint32_t j = 0; j < i; j++)
		if (e->start < extents[j].start + extents[j].length &&
		    extents[j].start < e->start + e->length)
			return err_new(ERR_INVALID, "%s: extents %u and %u overlap", t->name, j, i);
	return NULL;
}

err_t target_open_extents(struct target *t, const char *path, bool writable,
			  const struct extent *extents, uint32_t count)
{
	struct target opened;

	if (!count || count > EXTENTS_MAX)
		return err_new(ERR_INVALID, "%s: %u extents, possible are 1 to %u", path, count,
			       EXTENTS_MAX);
	TRY(open_device(&opened, path, writable, false));
	for (uint32_t i = 0; i < count; i++) {
		err_t e = check_extent(&opened, extents, i);

		if (e) {
			target_close(&opened);
			return e;
		}
		opened.extents[i] = extents[i];
		opened.bytes += extents[i].length;
	}
	opened.extent_count = count;
	*t = opened;
	return NULL;
}

void target_close(struct target *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

err_t target_map(const struct target *t, uint64_t offset, uint64_t n, uint64_t *device_offset,
		 uint64_t *contiguous)
{
	uint64_t left = offset;

	for (uint32_t i = 0; i < t->extent_count; i++) {
		const struct extent *e = &t->extents[i];

		if (left < e->length) {
			*device_offset = e->start + left;
			*contiguous = min_u64(n, e->length - left);
			return NULL;
		}
		left -= e->length;
	}
	return err_new(ERR_NOSPACE, "%s: byte %llu is past its end, it has %llu", t->name,
		       (unsigned long long)offset, (unsigned long long)t->bytes);
}

err_t target_read(const struct target *t, void *buf, size_t n, uint64_t offset)
{
	uint8_t *p = buf;

	assert(((uintptr_t)buf | n | offset) % PAGE_BYTES == 0);
	while (n) {
		uint64_t place, run;

		TRY(target_map(t, offset, n, &place, &run));
		TRY(t->device->read(t, p, run, place));
		p += run;
		offset += run;
		n -= run;
	}
	return NULL;
}

err_t target_write(const struct target *t, const void *buf, size_t n, uint64_t offset)
{
	const uint8_t *p = buf;

	assert(((uintptr_t)buf | n | offset) % PAGE_BYTES == 0);
	while (n) {
		uint64_t place, run;

		TRY(target_map(t, offset, n, &place, &run));
		TRY(t->device->write(t, p, run, place));
		p += run;
		offset += run;
		n -= run;
	}
	return NULL;
}

err_t target_flush(const struct target *t)
{
	return t->device->flush(t);
}

void *target_buffer(size_t n)
{
	return aligned_alloc(PAGE_BYTES, n);
}
