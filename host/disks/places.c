/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/places.h"

#include "base/io.h"
#include "base/text.h"
#include "base/util.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define START_BYTES 65536u

/* Marks: 16 bytes that stay, at multiples of 16, so that XTS keeps them too. */
#define EXT_SUPER     1024u
#define EXT_MARK      0x70u /* half of the UUID, half of the label */
#define JOURNAL_BYTES 1024u
#define JOURNAL_MARK  0x30u /* UUID */
#define XFS_MARK      0x20u /* UUID */
#define BTRFS_BYTES   4096u
#define BTRFS_FSID    0x20u
#define BTRFS_MARK    0x110u /* most of the device's own UUID */

static err_t ext_error(errcode_t r, const char *path)
{
	return err_new(ERR_IO, "looking for the journal on %s: %s", path, error_message(r));
}

static err_t journal_place(dev_t dev, uint64_t offset, place_fn fn, void *ctx)
{
	struct place p = {PRINT_JOURNAL, dev, offset, JOURNAL_BYTES, JOURNAL_MARK};

	return fn(&p, ctx);
}

/* On a device of its own, which the superblock names by its UUID. */
static err_t external_journal(ext2_filsys fs, const char *path, place_fn fn, void *ctx)
{
	unsigned int block = fs->blocksize;
	char uuid[TEXT_UUID_BYTES], *name;
	struct stat st;
	bool found;

	text_uuid(fs->super->s_journal_uuid, uuid);
	name = blkid_evaluate_tag("UUID", uuid, NULL);
	found = name && !stat(name, &st) && S_ISBLK(st.st_mode);
	free(name);
	if (!found)
		return err_new(ERR_REFUSED, "the journal of %s (UUID %s) is not found", path, uuid);
	return journal_place(st.st_rdev, (uint64_t)ext2fs_journal_sb_start((int)block) * block, fn,
			     ctx);
}

static err_t ext_journal(ext2_filsys fs, dev_t dev, const char *path, place_fn fn, void *ctx)
{
	blk64_t block = 0;
	errcode_t r;

	if (!ext2fs_has_feature_journal(fs->super))
		return NULL;
	if (!fs->super->s_journal_inum)
		return external_journal(fs, path, fn, ctx);
	r = ext2fs_bmap2(fs, fs->super->s_journal_inum, NULL, NULL, 0, 0, NULL, &block);
	if (r)
		return ext_error(r, path);
	if (!block)
		return err_new(ERR_CORRUPT, "the journal of %s is nowhere", path);
	return journal_place(dev, (uint64_t)block * fs->blocksize, fn, ctx);
}

static err_t ext_places(dev_t dev, const char *path, place_fn fn, void *ctx)
{
	/* It is in use: its checksums may be those of a moment ago. */
	const int flags = EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP | EXT2_FLAG_SOFTSUPP_FEATURES |
			  EXT2_FLAG_IGNORE_CSUM_ERRORS;
	struct place super = {PRINT_SUPERBLOCK, dev, EXT_SUPER, 1024, EXT_MARK};
	ext2_filsys fs = NULL;
	errcode_t r;
	err_t e;

	TRY(fn(&super, ctx));
	r = ext2fs_open(path, flags, 0, 0, unix_io_manager, &fs);
	if (r)
		return ext_error(r, path);
	e = ext_journal(fs, dev, path, fn, ctx);
	ext2fs_close_free(&fs);
	return e;
}

static uint64_t be(const uint8_t *p, unsigned int bytes)
{
	uint64_t x = 0;

	while (bytes--)
		x = x << 8 | *p++;
	return x;
}

static err_t read_at(const char *path, void *buf, size_t n, uint64_t offset)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno("opening %s", path);
	return io_pread(fd, buf, n, offset, path);
}

/* struct xfs_dsb of fs/xfs/libxfs/xfs_format.h. */
static err_t xfs_places(dev_t dev, const char *path, place_fn fn, void *ctx)
{
	struct place super = {PRINT_SUPERBLOCK, dev, 0, 512, XFS_MARK};
	struct place log = {PRINT_WANTED, dev, 0, 0, PRINT_NO_MARK};
	uint64_t block, start, group_blocks, group_bits;
	uint8_t sb[512];

	TRY(read_at(path, sb, sizeof(sb), 0));
	if (memcmp(sb, "XFSB", 4))
		return err_new(ERR_CORRUPT, "%s has no superblock of XFS", path);
	block = be(sb + 4, 4);
	start = be(sb + 48, 8);
	group_blocks = be(sb + 84, 4);
	group_bits = sb[124];
	if (!start)
		return err_new(ERR_REFUSED,
			       "%s has its XFS log on another device, which has not "
			       "been shown to survive",
			       path);
	if (group_bits > 32)
		return err_new(ERR_CORRUPT, "%s has a bad superblock of XFS", path);
	log.offset = ((start >> group_bits) * group_blocks + (start & ((1ull << group_bits) - 1))) *
		     block;
	log.length = be(sb + 96, 4) * block;
	TRY(fn(&super, ctx));
	return fn(&log, ctx);
}

static err_t btrfs_device(dev_t dev, const char *folder, place_fn fn, void *ctx)
{
	static const uint64_t copies[] = {64 * KIB, 64 * MIB, 256 * GIB};
	CLEANUP_FREE char *text = NULL;
	char path[PATH_MAX];
	uint64_t bytes;
	size_t n;

	snprintf(path, sizeof(path), "%s/size", folder);
	TRY(io_read_file(path, 64, &text, &n));
	bytes = strtoull(text, NULL, 10) * 512;
	for (size_t i = 0; i < ARRAY_LEN(copies) && copies[i] + BTRFS_BYTES <= bytes; i++) {
		struct place p = {PRINT_SUPERBLOCK, dev, copies[i], BTRFS_BYTES, BTRFS_MARK};

		TRY(fn(&p, ctx));
	}
	return NULL;
}

static err_t btrfs_devices(const char *devices, place_fn fn, void *ctx)
{
	DIR *dir = opendir(devices);
	struct dirent *d;
	err_t e = NULL;

	if (!dir)
		return err_errno("%s", devices);
	while (!e && (d = readdir(dir))) {
		CLEANUP_FREE char *text = NULL;
		char folder[PATH_MAX], file[PATH_MAX + 8];
		unsigned int major, minor;
		size_t n;

		if (d->d_name[0] == '.')
			continue;
		snprintf(folder, sizeof(folder), "%s/%s", devices, d->d_name);
		snprintf(file, sizeof(file), "%s/dev", folder);
		e = io_read_file(file, 64, &text, &n);
		if (!e && sscanf(text, "%u:%u", &major, &minor) == 2)
			e = btrfs_device(makedev(major, minor), folder, fn, ctx);
	}
	closedir(dir);
	return e;
}

static err_t btrfs_places(const char *path, place_fn fn, void *ctx)
{
	char devices[128], uuid[TEXT_UUID_BYTES];
	uint8_t u[16];

	TRY(read_at(path, u, sizeof(u), 64 * KIB + BTRFS_FSID));
	text_uuid(u, uuid);
	snprintf(devices, sizeof(devices), "/sys/fs/btrfs/%s/devices", uuid);
	return btrfs_devices(devices, fn, ctx);
}

static bool is_ext(const char *type)
{
	return !strcmp(type, "ext4") || !strcmp(type, "ext3") || !strcmp(type, "ext2");
}

bool places_weak(const char *type)
{
	return !is_ext(type) && strcmp(type, "xfs") != 0 && strcmp(type, "btrfs") != 0;
}

err_t places_find(const char *type, dev_t dev, const char *path, place_fn fn, void *ctx)
{
	struct place start = {PRINT_START, dev, 0, START_BYTES, PRINT_NO_MARK};

	if (!dev && !strcmp(type, "btrfs"))
		return err_new(ERR_REFUSED, "its device is not found in /dev");
	if (!dev)
		return err_new(ERR_REFUSED, "%s has not been shown to survive", type);
	if (is_ext(type))
		return ext_places(dev, path, fn, ctx);
	if (!strcmp(type, "xfs"))
		return xfs_places(dev, path, fn, ctx);
	if (!strcmp(type, "btrfs"))
		return btrfs_places(path, fn, ctx);
	return fn(&start, ctx);
}
