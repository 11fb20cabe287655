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

err_t target_set_extents(struct target *t, const struct extent *extents, uint32_t count)
{
	CLEANUP_FREE struct extent *copy = NULL;
	CLEANUP_FREE uint64_t *ends = NULL;
	uint64_t bytes = 0;

	if (!count || count > EXTENTS_MAX)
		return err_new(ERR_INVALID, "%s: %u extents, possible are 1 to %u", t->name, count,
			       EXTENTS_MAX);
	TRY(err_context(extent_check(extents, count, t->device_bytes, ERR_INVALID), "%s", t->name));
	copy = malloc(count * sizeof(*copy));
	ends = malloc(count * sizeof(*ends));
	if (!copy || !ends)
		return err_new(ERR_NOMEM, "%s: %u extents", t->name, count);
	memcpy(copy, extents, count * sizeof(*copy));
	for (uint32_t i = 0; i < count; i++)
		ends[i] = bytes += extents[i].length;
	free(t->extents);
	free(t->ends);
	t->extents = copy;
	t->ends = ends;
	t->extent_count = count;
	t->bytes = bytes;
	copy = NULL;
	ends = NULL;
	return NULL;
}

err_t target_open(struct target *t, const char *path, bool writable, bool exclusive)
{
	struct target opened;
	struct extent whole;
	err_t e;

	TRY(open_device(&opened, path, writable, exclusive));
	whole = (struct extent){0, align_down(opened.device_bytes, PAGE_BYTES)};
	/* A device of less than a block is not wrong, it is too small for an image. */
	e = whole.length ? target_set_extents(&opened, &whole, 1) : NULL;
	if (e)
		target_close(&opened);
	else
		*t = opened;
	return e;
}

err_t target_open_extents(struct target *t, const char *path, bool writable,
			  const struct extent *extents, uint32_t count)
{
	struct target opened;
	err_t e;

	TRY(open_device(&opened, path, writable, false));
	e = target_set_extents(&opened, extents, count);
	if (e)
		target_close(&opened);
	else
		*t = opened;
	return e;
}

void target_close(struct target *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	free(t->extents);
	free(t->ends);
	t->extents = NULL;
	t->ends = NULL;
	t->extent_count = 0; /* its sizes stay: some ask for them afterwards */
}

err_t target_map(const struct target *t, uint64_t offset, uint64_t n, uint64_t *device_offset,
		 uint64_t *contiguous)
{
	uint32_t low = 0, high = t->extent_count;

	/* The first extent that ends behind it. */
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (t->ends[mid] <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == t->extent_count)
		return err_new(ERR_NOSPACE, "%s: byte %llu is past its end, it has %llu", t->name,
			       (unsigned long long)offset, (unsigned long long)t->bytes);
	*device_offset = t->extents[low].start + t->extents[low].length - (t->ends[low] - offset);
	*contiguous = min_u64(n, t->ends[low] - offset);
	return NULL;
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
