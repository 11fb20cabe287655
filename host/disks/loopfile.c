/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/loopfile.h"

#include "base/io.h"
#include "base/util.h"
#include "host/disks/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static bool is_in_memory(const char *type)
{
	static const char *const types[] = {"tmpfs", "ramfs", "rootfs", "devtmpfs", "hugetlbfs"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!strcmp(type, types[i]))
			return true;
	}
	return false;
}

static err_t judge(const struct mount *m, const char *file, dev_t *out)
{
	*out = 0;
	if (is_in_memory(m->type))
		return NULL;
	if (strncmp(m->type, "fuse", 4) && mounts_on_disk(m, out))
		return NULL;
	return err_new(ERR_REFUSED,
		       "its file %s lies on a filesystem (%s on %s) that may wait for a process or "
		       "for the network while everything is frozen",
		       file, m->type, m->path);
}

err_t loopfile_judge(const struct mounts *every, dev_t superblock, const char *file, dev_t *out)
{
	for (size_t i = 0; i < every->count; i++) {
		if (every->m[i].superblock == superblock)
			return judge(&every->m[i], file, out);
	}
	return err_new(ERR_REFUSED, "what its file %s lies on cannot be told", file);
}

/* The kernel's huge_encode_dev() (include/linux/kdev_t.h). */
static dev_t decode_dev(uint64_t d)
{
	return makedev((d & 0xfff00) >> 8, (d & 0xff) | ((d >> 12) & 0xfff00));
}

/* A file's st_dev is its superblock's, but for btrfs (each subvolume has one) and overlays. By
 * its path, then, if that leads to the same file. */
static dev_t superblock_of(const struct loop_info64 *info, const char *file,
			   const struct mounts *every)
{
	dev_t dev = decode_dev(info->lo_device);
	struct statx sx;

	if (statx(AT_FDCWD, file, 0, STATX_INO | STATX_MNT_ID, &sx) ||
	    makedev(sx.stx_dev_major, sx.stx_dev_minor) != dev || sx.stx_ino != info->lo_inode ||
	    !(sx.stx_mask & STATX_MNT_ID))
		return dev;
	for (size_t i = 0; i < every->count; i++) {
		if (every->m[i].id == sx.stx_mnt_id)
			return every->m[i].superblock;
	}
	return dev;
}

/* false: it has no file. */
static err_t ask_loop(dev_t loop, struct loop_info64 *info, bool *bound)
{
	CLEANUP_CLOSE int fd = -1;
	char name[64];

	stack_name(loop, name, sizeof(name));
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno("opening %s", name);
	*bound = !ioctl(fd, LOOP_GET_STATUS64, info);
	return *bound || errno == ENXIO ? NULL : err_errno("asking %s for its file", name);
}

/* Only for messages, and where the number does not tell. */
static void read_name(dev_t loop, char *out, size_t n)
{
	CLEANUP_FREE char *text = NULL;
	char path[96];
	size_t bytes;
	err_t e;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/loop/backing_file", major(loop),
		 minor(loop));
	e = io_read_file(path, PATH_MAX + 16, &text, &bytes);
	snprintf(out, n, "%.*s", e ? 1 : (int)strcspn(text, "\n"), e ? "?" : text);
	err_free(e);
}

err_t loopfile_device(dev_t loop, dev_t *out)
{
	struct loop_info64 info = {0};
	char file[PATH_MAX];
	struct mounts every;
	bool bound;
	err_t e;

	*out = 0;
	TRY(ask_loop(loop, &info, &bound));
	if (!bound)
		return NULL;
	read_name(loop, file, sizeof(file));
	TRY(mounts_read_every(&every));
	e = loopfile_judge(&every, superblock_of(&info, file, &every), file, out);
	mounts_free(&every);
	return e;
}
