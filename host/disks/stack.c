/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/stack.h"

#include "base/io.h"
#include "base/util.h"
#include "host/disks/dmtable.h"
#include "host/disks/loopfile.h"
#include "host/disks/nvmehead.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#define DEPTH_MAX 16

/* The device's folder in /sys; of the whole disk, for a partition. */
static bool sys_folder(dev_t dev, char path[PATH_MAX])
{
	char link[64], partition[PATH_MAX + 16];

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	if (!realpath(link, path))
		return false;
	snprintf(partition, sizeof(partition), "%s/partition", path);
	if (!access(partition, F_OK))
		*strrchr(path, '/') = '\0';
	return true;
}

bool stack_is_disk(dev_t dev)
{
	char path[PATH_MAX];

	return sys_folder(dev, path) && (!strstr(path, "/devices/virtual/") ||
					 nvmehead_look("/sys", path) == NVMEHEAD_SINGLE);
}

void stack_name(dev_t dev, char *name, size_t n)
{
	char link[64], path[PATH_MAX];

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	if (realpath(link, path))
		snprintf(name, n, "/dev/%s", strrchr(path, '/') + 1);
	else
		snprintf(name, n, "device %u:%u", major(dev), minor(dev));
}

static err_t check_name(const char *name)
{
	static const struct {
		const char *prefix, *why;
	} refused[] = {
		{"bcache", "bcache has not been shown to survive"},
		{"nbd", "its network connection would not survive"},
		{"rbd", "its network connection would not survive"},
		{"drbd", "its peer would not wait"},
		{"ublkb", "it is served by a process, which is frozen"},
	};

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		if (!strncmp(name, refused[i].prefix, strlen(refused[i].prefix)))
			return err_new(ERR_REFUSED, "%s: %s", name, refused[i].why);
	}
	return NULL;
}

static err_t check_md(const char *path, const char *name)
{
	CLEANUP_FREE char *text = NULL;
	char file[PATH_MAX + 32];
	size_t n;

	snprintf(file, sizeof(file), "%s/md/sync_action", path);
	if (access(file, F_OK)) /* RAID0 and linear have nothing to sync */
		return NULL;
	TRY(io_read_file(file, 4096, &text, &n));
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, "idle"))
		return err_new(ERR_REFUSED, "%s is busy: %s. Wait until it is done (/proc/mdstat)",
			       name, text);
	return NULL;
}

static err_t check_dm_type(const char *type, const char *name)
{
	static const char *const fit[] = {"linear",    "crypt", "striped",
					  "multipath", "error", "zero"};

	for (size_t i = 0; i < ARRAY_LEN(fit); i++) {
		if (!strcmp(type, fit[i]))
			return NULL;
	}
	return err_new(ERR_REFUSED,
		       "%s is a device-mapper \"%s\", which has not been shown to survive", name,
		       type);
}

static err_t read_dev(const char *folder, dev_t *out)
{
	CLEANUP_FREE char *text = NULL;
	char file[PATH_MAX + 512];
	unsigned int major, minor;
	size_t n;

	snprintf(file, sizeof(file), "%s/dev", folder);
	TRY(io_read_file(file, 64, &text, &n));
	if (sscanf(text, "%u:%u", &major, &minor) != 2)
		return err_new(ERR_IO, "%s is no device number", file);
	*out = makedev(major, minor);
	return NULL;
}

static err_t check_device(dev_t dev, unsigned int depth);

static err_t check_slaves(const char *path, unsigned int depth)
{
	char folder[PATH_MAX + 16];
	struct dirent *d;
	err_t e = NULL;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/slaves", path);
	dir = opendir(folder);
	if (!dir)
		return NULL;
	while (!e && (d = readdir(dir))) {
		char slave[PATH_MAX + 300];
		dev_t dev;

		if (d->d_name[0] == '.')
			continue;
		snprintf(slave, sizeof(slave), "%s/%s", folder, d->d_name);
		e = read_dev(slave, &dev);
		if (!e)
			e = check_device(dev, depth + 1);
	}
	closedir(dir);
	return e;
}

/* What holds its file is a filesystem, on a device of its own. */
static err_t check_loop(const char *path, const char *name, unsigned int depth)
{
	dev_t loop, dev = 0;

	TRY(read_dev(path, &loop));
	TRY(err_context(loopfile_device(loop, &dev), "%s", name));
	return dev ? check_device(dev, depth + 1) : NULL;
}

static err_t check_device(dev_t dev, unsigned int depth)
{
	char path[PATH_MAX];
	const char *name;

	if (depth > DEPTH_MAX)
		return err_new(ERR_REFUSED, "more than %d block devices on top of each other",
			       DEPTH_MAX);
	if (!sys_folder(dev, path))
		return NULL;
	name = strrchr(path, '/') + 1;
	TRY(check_name(name));
	TRY(check_md(path, name));
	if (!strncmp(name, "dm-", 3))
		TRY(dmtable_types(dev, name, check_dm_type));
	if (!strncmp(name, "loop", 4))
		return check_loop(path, name, depth);
	return check_slaves(path, depth);
}

err_t stack_check(dev_t dev)
{
	return check_device(dev, 0);
}
