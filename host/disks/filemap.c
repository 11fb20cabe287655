/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/filemap.h"

#include "base/io.h"
#include "base/util.h"
#include "host/disks/btrfschunks.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define XFS_MAGIC    0x58465342u
#define EXTENTS_ONCE 512u

/* FIEMAP_EXTENT_UNWRITTEN is none of these: raw writes land there, though the file reads as zeros.
 */
static const struct {
	uint32_t flag;
	const char *why;
} bad_flags[] = {
	{FIEMAP_EXTENT_SHARED,
	 "shares blocks with another file or a snapshot (reflink): remove it, and have it made "
	 "anew "
	 "(dormouse setup), on btrfs in a subvolume of its own, of which no snapshots are made"},
	{FIEMAP_EXTENT_DATA_INLINE, "lies among its filesystem's own data (inline)"},
	{FIEMAP_EXTENT_DATA_TAIL, "shares a block with other files"},
	{FIEMAP_EXTENT_DATA_ENCRYPTED, "is encrypted by its filesystem"},
	{FIEMAP_EXTENT_ENCODED, "is compressed or encrypted by its filesystem"},
	{FIEMAP_EXTENT_DELALLOC, "has data without a place on the disk yet"},
	{FIEMAP_EXTENT_NOT_ALIGNED, "does not lie in whole blocks"},
	{FIEMAP_EXTENT_UNKNOWN, "has data in a place that its filesystem does not tell"},
};

/* FIEMAP does not tell of these (ext4's fscrypt has no flag there). */
static const struct {
	uint64_t attribute;
	const char *why;
} bad_attributes[] = {
	{STATX_ATTR_ENCRYPTED, "is encrypted by its filesystem (fscrypt), as is its name"},
	{STATX_ATTR_COMPRESSED, "is compressed by its filesystem"},
	{STATX_ATTR_VERITY, "is sealed by fs-verity"},
};

void filemap_deinit(struct filemap *m)
{
	extentlist_deinit(&m->extents);
}

err_t filemap_check(const struct fiemap_extent *e, const char *path, uint64_t end,
		    uint64_t *logical)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_flags); i++)
		if (e->fe_flags & bad_flags[i].flag)
			return err_new(ERR_REFUSED, "%s %s", path, bad_flags[i].why);
	if (e->fe_logical != *logical)
		return err_new(ERR_REFUSED, "%s has holes; it must be allocated whole", path);
	if (!e->fe_length || e->fe_physical > UINT64_MAX - e->fe_length ||
	    e->fe_logical > UINT64_MAX - e->fe_length)
		return err_new(ERR_CORRUPT, "%s has an extent of impossible size", path);
	*logical = min_u64(e->fe_logical + e->fe_length, end);
	return NULL;
}

/* What one filesystem needs besides FIEMAP. */
static err_t check_xfs(int fd, const char *path)
{
	struct fsxattr x;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &x))
		return err_errno("%s", path);
	if (x.fsx_xflags & FS_XFLAG_REALTIME)
		return err_new(ERR_REFUSED, "%s lies on the realtime device of its XFS", path);
	return NULL;
}

static err_t check_btrfs(int fd, const char *path)
{
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return err_errno("%s", path);
	if (!(flags & FS_NOCOW_FL))
		return err_new(ERR_REFUSED,
			       "%s is copied on write by btrfs, and has checksums; it must be made "
			       "with chattr +C, as dormouse setup does",
			       path);
	return NULL;
}

static err_t check_attributes(int fd, const char *path)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &sx))
		return err_errno("%s", path);
	for (size_t i = 0; i < ARRAY_LEN(bad_attributes); i++)
		if (sx.stx_attributes & bad_attributes[i].attribute)
			return err_new(ERR_REFUSED, "%s %s", path, bad_attributes[i].why);
	return NULL;
}

/* Type, device and, for btrfs, the chunks. */
static err_t look_at_filesystem(int fd, const char *path, struct filemap *out,
				struct btrfschunks *chunks)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) || fstat(fd, &st))
		return err_errno("%s", path);
	out->dev = st.st_dev;
	TRY(check_attributes(fd, path));
	switch ((unsigned long)fs.f_type) {
	case EXT4_SUPER_MAGIC: /* ext2 and ext3 have the same */
		strcpy(out->type, "ext");
		break;
	case XFS_MAGIC:
		strcpy(out->type, "xfs");
		TRY(check_xfs(fd, path));
		break;
	case BTRFS_SUPER_MAGIC:
		strcpy(out->type, "btrfs");
		TRY(check_btrfs(fd, path));
		return btrfschunks_read(fd, path, &out->dev, chunks);
	default:
		return err_new(ERR_REFUSED,
			       "%s lies on a filesystem that is neither ext2, ext3, ext4, XFS nor "
			       "btrfs (%#lx)",
			       path, (unsigned long)fs.f_type);
	}
	if (!major(out->dev))
		return err_new(ERR_REFUSED, "%s lies on no block device", path);
	return NULL;
}

static err_t add_extent(const struct fiemap_extent *e, const char *path, uint64_t end,
			const struct btrfschunks *chunks, struct filemap *out)
{
	uint64_t n = min_u64(e->fe_length, end - e->fe_logical);

	if (chunks->count)
		return btrfschunks_map(chunks, path, e->fe_physical, n, &out->extents);
	return extentlist_add(&out->extents, e->fe_physical, n);
}

/* As many extents from *logical on as the kernel tells at once. */
static err_t read_some(int fd, const char *path, struct fiemap *m, uint64_t end,
		       const struct btrfschunks *chunks, uint64_t *logical, struct filemap *out)
{
	uint32_t flags = m->fm_flags;

	m->fm_start = *logical;
	m->fm_length = end - *logical;
	m->fm_extent_count = EXTENTS_ONCE;
	m->fm_mapped_extents = 0;
	if (ioctl(fd, FS_IOC_FIEMAP, m))
		return err_errno("asking where %s lies", path);
	m->fm_flags = flags;
	if (!m->fm_mapped_extents)
		return err_new(ERR_REFUSED, "%s has holes; it must be allocated whole", path);
	for (uint32_t i = 0; i < m->fm_mapped_extents && *logical < end; i++) {
		const struct fiemap_extent *e = &m->fm_extents[i];

		TRY(filemap_check(e, path, end, logical));
		TRY(add_extent(e, path, end, chunks, out));
	}
	return NULL;
}

/* A boot goes by its name. */
static err_t check_name(const struct stat *st, const char *path)
{
	struct stat named;

	if (!stat(path, &named) && named.st_dev == st->st_dev && named.st_ino == st->st_ino)
		return NULL;
	return err_new(ERR_REFUSED, "%s was removed or replaced a moment ago", path);
}

err_t filemap_read(int fd, const char *path, bool frozen, struct filemap *out)
{
	CLEANUP_FREE struct fiemap *m =
		calloc(1, sizeof(*m) + EXTENTS_ONCE * sizeof(struct fiemap_extent));
	CLEANUP_BTRFSCHUNKS struct btrfschunks chunks = {0};
	CLEANUP_FILEMAP struct filemap map = {.dev = 0};
	uint64_t end, logical = 0;
	struct stat st;

	if (!m)
		return err_new(ERR_NOMEM, "asking where %s lies", path);
	if (fstat(fd, &st))
		return err_errno("%s", path);
	TRY(check_name(&st, path));
	end = align_down((uint64_t)st.st_size, PAGE_BYTES);
	if (!frozen)
		TRY(io_fsync(fd, path));
	m->fm_flags = frozen ? 0 : FIEMAP_FLAG_SYNC;
	TRY(look_at_filesystem(fd, path, &map, &chunks));
	while (logical < end)
		TRY(read_some(fd, path, m, end, &chunks, &logical, &map));
	*out = map;
	map.extents = (struct extentlist){.list = NULL};
	return NULL;
}
