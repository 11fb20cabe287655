/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/targetfile.h"

#include "base/io.h"
#include "base/util.h"
#include "formats/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Some filesystems (btrfs, reiserfs) begin with 64 KiB of zeros. More than a file's head
 * (image/located.h), by which alone a boot finds anything in it. */
#define LOOK_BYTES MIB

static err_t set_flags(int fd, const char *path, int flags)
{
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
		return err_errno("turning off copy on write of %s (chattr +C)", path);
	return NULL;
}

/*
 * Before it has data: afterwards it would be too late. Whether to be compressed, a new file
 * has from its folder, and btrfs takes no flag together with that, nor both at once.
 */
static err_t set_no_cow(int fd, const char *path)
{
	const int compression = FS_COMPR_FL | FS_NOCOMP_FL;
	struct statfs fs;
	int flags;

	if (fstatfs(fd, &fs))
		return err_errno("%s", path);
	if ((unsigned long)fs.f_type != BTRFS_SUPER_MAGIC)
		return NULL;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return err_errno("%s", path);
	if (flags & compression)
		TRY(set_flags(fd, path, flags & ~compression));
	return set_flags(fd, path, (flags & ~compression) | FS_NOCOW_FL);
}

/* By errno. */
static err_t cannot_allocate(const char *path, unsigned long long mib)
{
	if (errno == ENOSPC)
		return err_new(ERR_NOSPACE,
			       "the filesystem has no %llu MiB free for %s: have a smaller file "
			       "(dormouse setup --size), or one elsewhere",
			       mib, path);
	if (errno == EOPNOTSUPP)
		return err_new(ERR_REFUSED,
			       "the filesystem cannot allocate a file by itself. Before dormouse "
			       "setup: (umask 077; dd if=/dev/zero of=%s bs=1M count=%llu)",
			       path, mib);
	return err_errno("allocating %llu MiB for %s", mib, path);
}

/* Its first bytes, or all of a smaller file, on the medium. */
static err_t clear(int fd, const char *path)
{
	CLEANUP_FREE uint8_t *zeros = calloc(1, LOOK_BYTES);
	struct stat st;

	if (!zeros)
		return err_new(ERR_NOMEM, "clearing %s", path);
	if (fstat(fd, &st))
		return err_errno("%s", path);
	TRY(io_pwrite(fd, zeros, min_u64((uint64_t)st.st_size, LOOK_BYTES), 0, path));
	return io_fsync(fd, path);
}

static err_t allocate(int fd, const char *path, uint64_t bytes)
{
	TRY(set_no_cow(fd, path));
	if (fallocate(fd, 0, 0, (off_t)bytes))
		return cannot_allocate(path, bytes / MIB);
	return clear(fd, path);
}

err_t targetfile_clear(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno("clearing %s", path);
	return clear(fd, path);
}

/* Its name is on the medium, too. */
static err_t sync_folder(const char *path)
{
	char copy[PATH_MAX];
	CLEANUP_CLOSE int fd = -1;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno("the folder of %s", path);
	return io_fsync(fd, path);
}

err_t targetfile_create(const char *path, uint64_t bytes)
{
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	err_t e;

	if (fd < 0 && errno == EEXIST)
		return err_new(ERR_REFUSED, "%s exists", path);
	if (fd < 0)
		return err_errno("making %s", path);
	e = allocate(fd, path, bytes);
	if (!e)
		e = sync_folder(path);
	if (e)
		unlink(path);
	return e;
}

/* Both superblocks, of an image that was given up: what is behind them is its rest. */
static bool is_retired(const uint8_t *buf, size_t n)
{
	struct slot a, b;
	err_t e;

	if (n < SLOT_DATA_START)
		return false;
	e = slot_decode(buf + SLOT_A_OFFSET, &a);
	if (!e)
		e = slot_decode(buf + SLOT_B_OFFSET, &b);
	if (!e)
		return a.state == SLOT_RETIRED && b.state == SLOT_RETIRED;
	err_free(e);
	return false;
}

err_t targetfile_check_empty(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP_FREE uint8_t *buf = malloc(LOOK_BYTES);
	ssize_t n;

	if (!buf)
		return err_new(ERR_NOMEM, "looking at %s", path);
	if (fd < 0 || (n = pread(fd, buf, LOOK_BYTES, 0)) < 0)
		return err_errno("looking at %s", path);
	if (is_retired(buf, (size_t)n))
		return NULL;
	for (ssize_t i = 0; i < n; i++)
		if (buf[i])
			return err_new(ERR_REFUSED,
				       "%s holds something (its bytes are not zero); if it is not "
				       "needed, remove it, and dormouse setup makes it anew",
				       path);
	return NULL;
}
