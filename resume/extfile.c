/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/extfile.h"

#include "base/io.h"
#include "base/util.h"
#include "formats/slot.h"

#include <dirent.h>
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SYS	 "/sys/class/block"
#define SUPER_AT 1024u
#define MAGIC_AT 56u
#define UUID_AT	 104u

/*
 * That libext2fs cannot say is no reason to give an image up: another boot may do better, or a
 * newer one.
 */
static err_t ext_error(errcode_t r, const char *what, const char *path)
{
	enum err_kind kind = ERR_IO;

	initialize_ext2_error_table(); /* or its errors have no text */
	if (r == EXT2_ET_NO_MEMORY || r == ENOMEM)
		kind = ERR_NOMEM;
	else if (r == EXT2_ET_UNSUPP_FEATURE || r == EXT2_ET_RO_UNSUPP_FEATURE)
		kind = ERR_UNSUPPORTED;
	else if (r == EXT2_ET_FILE_NOT_FOUND || r == EXT2_ET_NO_DIRECTORY)
		kind = ERR_REFUSED;
	return err_new(kind, "%s on %s: %s", what, path, error_message(r));
}

/* The head in one piece, at the pinned place? */
static err_t check_place(ext2_filsys fs, ext2_ino_t inode, const struct pin *pin, const char *path,
			 uint64_t start)
{
	for (uint64_t at = 0; at < SLOT_DATA_START; at += fs->blocksize) {
		blk64_t block = 0;
		int flags = 0;
		errcode_t r =
			ext2fs_bmap2(fs, inode, NULL, NULL, 0, at / fs->blocksize, &flags, &block);

		if (r)
			return ext_error(r, pin->ext_path, path);
		if (!block || start + block * fs->blocksize != pin->byte + at)
			return err_new(ERR_CORRUPT,
				       "the filesystem on %s has %s at another place than where "
				       "the image is: it was changed since",
				       path, pin->ext_path);
	}
	return NULL;
}

static err_t check_open(ext2_filsys fs, const struct pin *pin, const char *path, uint64_t start)
{
	ext2_ino_t inode;
	errcode_t r;

	if (ext2fs_has_feature_journal_needs_recovery(fs->super))
		return err_new(ERR_CORRUPT,
			       "the journal of the filesystem on %s is not empty: it was mounted "
			       "since",
			       path);
	r = ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, pin->ext_path, &inode);
	if (r)
		return ext_error(r, pin->ext_path, path);
	return check_place(fs, inode, pin, path, start);
}

/* libext2fs reads through the page cache: what an earlier look has left there is not looked at
 * again. */
static void forget(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

err_t extfile_check_at(const struct pin *pin, const char *path, uint64_t start)
{
	ext2_filsys fs;
	errcode_t r;
	err_t e;

	forget(path);
	r = ext2fs_open(path, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs);
	if (r)
		return ext_error(r, "the filesystem", path);
	e = check_open(fs, pin, path, start);
	ext2fs_close_free(&fs);
	return e;
}

static void print_uuid(const uint8_t *u, char out[PINS_UUID_MAX])
{
	snprintf(out, PINS_UUID_MAX,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
		 u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
		 u[15]);
}

static bool has_filesystem(const struct pin *pin, const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t super[512];
	char uuid[PINS_UUID_MAX];
	err_t e;

	if (fd < 0)
		return false;
	e = io_pread(fd, super, sizeof(super), SUPER_AT, path);
	if (e) {
		err_free(e);
		return false;
	}
	print_uuid(super + UUID_AT, uuid);
	return super[MAGIC_AT] == (EXT2_SUPER_MAGIC & 0xff) &&
	       super[MAGIC_AT + 1] == EXT2_SUPER_MAGIC >> 8 && !strcmp(uuid, pin->ext_uuid);
}

/* A number of sectors in the partition's folder; in bytes. ERR_INVALID: it is no partition. */
static err_t read_sectors(const char *folder, const char *file, uint64_t *out)
{
	CLEANUP_FREE char *text = NULL;
	char path[PATH_MAX], *end;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	TRY(io_read_file(path, 64, &text, &n));
	*out = strtoull(text, &end, 10) * 512;
	return end == text ? err_new(ERR_INVALID, "%s has no number", path) : NULL;
}

/* Is the pinned place in this partition? */
static err_t holds_pin(const char *folder, const struct pin *pin, uint64_t *start, bool *out)
{
	uint64_t bytes = 0;

	TRY(read_sectors(folder, "start", start));
	TRY(read_sectors(folder, "size", &bytes));
	*out = pin->byte >= *start && pin->byte - *start < bytes;
	return NULL;
}

/* A part of the disk by this name: of a copy of the filesystem, in another partition, nothing
 * follows. */
static err_t check_partition(const struct disk_where *where, const struct pin *pin,
			     const char *disk, const char *name, bool *found)
{
	char folder[PATH_MAX], path[PATH_MAX];
	uint64_t start = 0;

	snprintf(folder, sizeof(folder), "%s/%s/%s", where->sys, disk, name);
	TRY(holds_pin(folder, pin, &start, found));
	if (!*found)
		return NULL;
	snprintf(path, sizeof(path), "%s/%s", where->dev, name);
	if (!has_filesystem(pin, path))
		return err_new(ERR_REFUSED, "the filesystem %s is not on %s", pin->ext_uuid, path);
	return extfile_check_at(pin, path, start);
}

static err_t check_partitions(const struct disk_where *where, const struct pin *pin,
			      const char *disk)
{
	char folder[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	err_t e = NULL;
	DIR *d;

	snprintf(folder, sizeof(folder), "%s/%s", where->sys, disk);
	d = opendir(folder);
	while (d && !e && !found && (entry = readdir(d)))
		if (!strncmp(entry->d_name, disk, strlen(disk)))
			e = check_partition(where, pin, disk, entry->d_name, &found);
	if (d)
		closedir(d);
	if (e || found)
		return e;
	return err_new(ERR_REFUSED, "the filesystem %s is not on %s", pin->ext_uuid, disk);
}

err_t extfile_check(const struct disk_where *where, const struct pin *pin, const char *disk)
{
	static const struct disk_where here = {.sys = SYS, .dev = "/dev"};

	if (!*pin->ext_uuid)
		return NULL;
	if (has_filesystem(pin, disk))
		return extfile_check_at(pin, disk, 0);
	return check_partitions(where ? where : &here, pin, strrchr(disk, '/') + 1);
}
