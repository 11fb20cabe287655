/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/encrypted.h"

#include "base/io.h"
#include "base/util.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define DEPTH_MAX     16
#define MOUNTINFO_MAX (1u << 20)

/* The first line of a small file; empty when there is none. */
static void read_line(const char *path, char *out, size_t n)
{
	CLEANUP_FREE char *text = NULL;
	size_t bytes;
	err_t e = io_read_file(path, 4096, &text, &bytes);

	snprintf(out, n, "%.*s", e ? 0 : (int)strcspn(text, "\n"), e ? "" : text);
	err_free(e);
}

/* cryptsetup source: lib/libdevmapper.c, dm_prepare_uuid(). It maps dm-verity and dm-integrity
 * under such names, too, which do not encrypt. */
static bool is_crypt(const char *folder)
{
	static const char *const names[] = {
		"CRYPT-PLAIN-",	 "CRYPT-LUKS1-", "CRYPT-LUKS2-",   "CRYPT-LOOPAES-",
		"CRYPT-TCRYPT-", "CRYPT-BITLK-", "CRYPT-FVAULT2-",
	};
	char path[PATH_MAX], uuid[256];

	snprintf(path, sizeof(path), "%s/dm/uuid", folder);
	read_line(path, uuid, sizeof(uuid));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strncmp(uuid, names[i], strlen(names[i])))
			return true;
	return false;
}

static bool read_dev(const char *folder, const char *name, dev_t *out)
{
	unsigned int major, minor;
	char path[PATH_MAX], text[64];

	snprintf(path, sizeof(path), "%s/%s/dev", folder, name);
	read_line(path, text, sizeof(text));
	if (sscanf(text, "%u:%u", &major, &minor) != 2)
		return false;
	*out = makedev(major, minor);
	return true;
}

static bool device(const char *sys, dev_t dev, unsigned int depth);

/* All devices that a folder of links names, and there is one. */
static bool all_of(const char *sys, const char *folder, unsigned int depth)
{
	DIR *dir = opendir(folder);
	unsigned int count = 0;
	bool all = true;
	struct dirent *d;
	dev_t dev;

	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		count++;
		all &= read_dev(folder, d->d_name, &dev) && device(sys, dev, depth);
	}
	if (dir)
		closedir(dir);
	return all && count;
}

static bool device(const char *sys, dev_t dev, unsigned int depth)
{
	char folder[PATH_MAX / 2], path[PATH_MAX];
	dev_t disk;

	snprintf(folder, sizeof(folder), "%s/dev/block/%u:%u", sys, major(dev), minor(dev));
	if (is_crypt(folder))
		return true;
	if (depth == DEPTH_MAX)
		return false;
	snprintf(path, sizeof(path), "%s/partition", folder);
	if (!access(path, F_OK))
		return read_dev(folder, "..", &disk) && device(sys, disk, depth + 1);
	snprintf(path, sizeof(path), "%s/slaves", folder);
	return all_of(sys, path, depth + 1);
}

bool encrypted_device(const char *sys, dev_t dev)
{
	return device(sys, dev, 0);
}

/* The source of the mount with this number, out of /proc/self/mountinfo; changes text. */
static bool mount_source(char *text, uint64_t id, char *source, size_t n)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *after = strstr(line, " - ");
		char type[64], name[PATH_MAX];

		if (strtoull(line, NULL, 10) != id || !after ||
		    sscanf(after, " - %63s %4095s", type, name) != 2)
			continue;
		snprintf(source, n, "%s", name);
		return true;
	}
	return false;
}

/* A device of the filesystem: of btrfs, one of them. */
static err_t device_of(const char *path, dev_t *out)
{
	CLEANUP_FREE char *text = NULL;
	char source[PATH_MAX];
	struct statx stx;
	struct stat st;
	size_t n;

	if (statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_MNT_ID, &stx))
		return err_errno("%s", path);
	*out = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	if (stx.stx_dev_major)
		return NULL;
	TRY(io_read_file("/proc/self/mountinfo", MOUNTINFO_MAX, &text, &n));
	if (mount_source(text, stx.stx_mnt_id, source, sizeof(source)) && !stat(source, &st) &&
	    S_ISBLK(st.st_mode))
		*out = st.st_rdev;
	return NULL;
}

/* Is dev among the devices of a btrfs filesystem, of which not all are encrypted? */
static bool btrfs_exposed(const char *devices, dev_t dev)
{
	DIR *dir = opendir(devices);
	bool among = false;
	struct dirent *d;
	dev_t other;

	while (dir && (d = readdir(dir)))
		among |=
			d->d_name[0] != '.' && read_dev(devices, d->d_name, &other) && other == dev;
	if (dir)
		closedir(dir);
	return among && !all_of(ENCRYPTED_SYS, devices, 0);
}

static bool any_exposed(dev_t dev)
{
	DIR *dir = opendir(ENCRYPTED_SYS "/fs/btrfs");
	char devices[PATH_MAX];
	bool exposed = false;
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(devices, sizeof(devices), ENCRYPTED_SYS "/fs/btrfs/%s/devices", d->d_name);
		exposed |= btrfs_exposed(devices, dev);
	}
	if (dir)
		closedir(dir);
	return exposed;
}

err_t encrypted_path(const char *path, bool *encrypted)
{
	dev_t dev;

	TRY(device_of(path, &dev));
	*encrypted = encrypted_device(ENCRYPTED_SYS, dev) && !any_exposed(dev);
	return NULL;
}

bool encrypted_any(const char *sys)
{
	char blocks[PATH_MAX / 2], folder[PATH_MAX];
	struct dirent *d;
	bool any = false;
	DIR *dir;

	snprintf(blocks, sizeof(blocks), "%s/class/block", sys);
	dir = opendir(blocks);
	while (dir && (d = readdir(dir))) {
		snprintf(folder, sizeof(folder), "%s/%s", blocks, d->d_name);
		any |= !strncmp(d->d_name, "dm-", 3) && is_crypt(folder);
	}
	if (dir)
		closedir(dir);
	return any;
}
