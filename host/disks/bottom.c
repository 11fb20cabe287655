/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/bottom.h"

#include "base/io.h"
#include "base/util.h"
#include "host/disks/dmtable.h"
#include "host/disks/nvmehead.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#define DEPTH_MAX	 16
#define SECTOR		 512u
#define RAID_SUPER_BYTES 4096u

/* Of one look-up. */
struct way {
	const char *sys;
	bottom_fn fn;
	void *ctx;
	uint64_t at;
	bool raid, scrambled, encrypted, paths;
	unsigned int depth;
};

static err_t follow(dev_t dev, uint64_t offset, uint64_t length, struct way way);

static err_t read_text(const char *folder, const char *name, char *out, size_t n)
{
	CLEANUP_FREE char *text = NULL;
	char path[PATH_MAX];
	size_t bytes;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	TRY(io_read_file(path, 4096, &text, &bytes));
	snprintf(out, n, "%.*s", (int)strcspn(text, "\n"), text);
	return NULL;
}

static err_t read_number(const char *folder, const char *name, uint64_t *out)
{
	unsigned long long x;
	char text[64];

	TRY(read_text(folder, name, text, sizeof(text)));
	if (sscanf(text, "%llu", &x) != 1)
		return err_new(ERR_IO, "%s/%s is no number", folder, name);
	*out = x;
	return NULL;
}

static err_t read_dev(const char *folder, const char *name, dev_t *out)
{
	unsigned int major, minor;
	char text[64];

	TRY(read_text(folder, name, text, sizeof(text)));
	if (sscanf(text, "%u:%u", &major, &minor) != 2)
		return err_new(ERR_IO, "%s/%s is no device number", folder, name);
	*out = makedev(major, minor);
	return NULL;
}

static bool has(const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return !access(path, F_OK);
}

static err_t partition(const char *folder, uint64_t offset, uint64_t length, struct way way)
{
	uint64_t start;
	dev_t disk;

	TRY(read_number(folder, "start", &start));
	TRY(read_dev(folder, "../dev", &disk));
	return follow(disk, start * SECTOR + offset, length, way);
}

static err_t first_slave(const char *folder, const char *name, dev_t *out)
{
	char slaves[PATH_MAX], dev[300];
	struct dirent *d = NULL;
	DIR *dir;
	err_t e;

	snprintf(slaves, sizeof(slaves), "%s/slaves", folder);
	dir = opendir(slaves);
	while (dir && (d = readdir(dir)) && d->d_name[0] == '.')
		;
	if (d) {
		snprintf(dev, sizeof(dev), "%s/dev", d->d_name);
		e = read_dev(slaves, dev, out);
	} else {
		e = err_new(ERR_REFUSED, "%s has no device beneath it", name);
	}
	if (dir)
		closedir(dir);
	return e;
}

static err_t mapper(dev_t dev, const char *folder, const char *name, uint64_t offset,
		    uint64_t length, struct way way)
{
	for (uint64_t done = 0; done < length;) {
		struct way down = way;
		struct dm_piece piece;

		TRY(dmtable_find(dev, name, (offset + done) / SECTOR, (length - done) / SECTOR,
				 &piece));
		if (piece.all_paths) /* all lead to one disk */
			TRY(first_slave(folder, name, &piece.dev));
		down.at += done;
		down.scrambled |= piece.scrambled;
		down.encrypted |= piece.encrypted;
		down.paths |= piece.all_paths;
		if (!piece.nowhere)
			TRY(follow(piece.dev, piece.sector * SECTOR, piece.count * SECTOR, down));
		done += piece.count * SECTOR;
	}
	return NULL;
}

/* Where a member has its superblock (drivers/md/md.c): by the version of its format. */
static err_t raid_super_at(const char *version, uint64_t bytes, uint64_t *at)
{
	if (!strcmp(version, "0.90"))
		*at = align_down(bytes, 65536) - 65536;
	else if (!strcmp(version, "1.0"))
		*at = align_down(bytes - 8192, RAID_SUPER_BYTES);
	else if (!strcmp(version, "1.1"))
		*at = 0;
	else if (!strcmp(version, "1.2"))
		*at = 4096;
	else
		return err_new(ERR_REFUSED,
			       "a RAID with metadata \"%s\" has not been shown to survive",
			       version);
	return NULL;
}

static err_t raid_member(const char *folder, const char *member, bool copies, uint64_t offset,
			 uint64_t length, struct way way)
{
	char path[PATH_MAX], version[32];
	uint64_t sectors, start, at = 0;
	struct way super = way;
	dev_t dev;

	snprintf(path, sizeof(path), "%s/md/%s", folder, member);
	TRY(read_text(folder, "md/metadata_version", version, sizeof(version)));
	TRY(read_dev(path, "block/dev", &dev));
	TRY(read_number(path, "block/size", &sectors));
	TRY(raid_super_at(version, sectors * SECTOR, &at));
	super.raid = true;
	TRY(follow(dev, at, RAID_SUPER_BYTES, super));
	if (!copies)
		return NULL;
	TRY(read_number(path, "offset", &start));
	return follow(dev, start * SECTOR + offset, length, way);
}

/*
 * A RAID writes to its members' superblocks before the first write after it was
 * assembled (md_write_start), so they tell of every write; RAID1's members also have
 * the filesystem where it can be seen. RAID0 and linear do not do so.
 */
static err_t raid(const char *folder, const char *name, uint64_t offset, uint64_t length,
		  struct way way)
{
	char level[32], md[PATH_MAX];
	struct dirent *d;
	err_t e = NULL;
	DIR *dir;

	TRY(read_text(folder, "md/level", level, sizeof(level)));
	if (strncmp(level, "raid", 4) || !strcmp(level, "raid0"))
		return err_new(ERR_REFUSED,
			       "%s is of level %s, which has not been shown to survive", name,
			       level);
	snprintf(md, sizeof(md), "%s/md", folder);
	dir = opendir(md);
	if (!dir)
		return err_errno("%s", md);
	while (!e && (d = readdir(dir))) {
		if (!strncmp(d->d_name, "dev-", 4))
			e = raid_member(folder, d->d_name, !strcmp(level, "raid1"), offset, length,
					way);
	}
	closedir(dir);
	return e;
}

static err_t disk(dev_t dev, const char *folder, const char *name, uint64_t offset, uint64_t length,
		  const struct way *way)
{
	struct bottom b = {
		.disk = dev,
		.offset = offset,
		.length = length,
		.at = way->at,
		.raid = way->raid,
		.scrambled = way->scrambled,
		.encrypted = way->encrypted,
		.paths = way->paths,
	};
	uint64_t sectors;

	TRY(read_number(folder, "size", &sectors));
	b.bytes = sectors * SECTOR;
	if (length > b.bytes || offset > b.bytes - length)
		return err_new(ERR_REFUSED, "a filesystem on %s does not fit on it", name);
	snprintf(b.folder, sizeof(b.folder), "%s", folder);
	return way->fn(&b, way->ctx);
}

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static err_t follow(dev_t dev, uint64_t offset, uint64_t length, struct way way)
{
	char folder[BOTTOM_FOLDER_MAX], real[PATH_MAX];
	const char *name;

	if (way.depth++ > DEPTH_MAX)
		return err_new(ERR_REFUSED, "more than %d block devices on top of each other",
			       DEPTH_MAX);
	snprintf(folder, sizeof(folder), "%s/dev/block/%u:%u", way.sys, major(dev), minor(dev));
	if (!realpath(folder, real))
		return err_errno("%s", folder);
	name = strrchr(real, '/') + 1;
	if (has(folder, "partition"))
		return partition(real, offset, length, way);
	if (starts(name, "dm-"))
		return mapper(dev, folder, name, offset, length, way);
	if (has(folder, "md"))
		return raid(folder, name, offset, length, way);
	if (starts(name, "loop") || starts(name, "ram") || starts(name, "zram"))
		return NULL;
	way.paths |= nvmehead_look(way.sys, real) == NVMEHEAD_SEVERAL;
	return disk(dev, folder, name, offset, length, &way);
}

err_t bottom_find_in(const char *sys, dev_t dev, uint64_t offset, uint64_t length, bottom_fn fn,
		     void *ctx)
{
	if (offset % SECTOR || length % SECTOR)
		return err_new(ERR_INVALID, "bytes %llu and %llu more are not in whole sectors",
			       (unsigned long long)offset, (unsigned long long)length);
	return follow(dev, offset, length, (struct way){.sys = sys, .fn = fn, .ctx = ctx});
}

err_t bottom_find(dev_t dev, uint64_t offset, uint64_t length, bottom_fn fn, void *ctx)
{
	return bottom_find_in("/sys", dev, offset, length, fn, ctx);
}
