/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/stack.h"

#include "base/io.h"
#include "base/util.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#define DEPTH_MAX 16
#define DM_BYTES  65536u

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

	return sys_folder(dev, path) && !strstr(path, "/devices/virtual/");
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

/* Its targets' types, by DM_TABLE_STATUS (kernel source: include/uapi/linux/dm-ioctl.h). */
static err_t check_dm(dev_t dev, const char *name)
{
	CLEANUP_CLOSE int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	CLEANUP_FREE struct dm_ioctl *io = calloc(1, DM_BYTES);
	uint32_t at;

	if (fd < 0)
		return err_errno("opening /dev/mapper/control");
	if (!io)
		return err_new(ERR_NOMEM, "looking at %s", name);
	io->version[0] = DM_VERSION_MAJOR;
	io->data_size = DM_BYTES;
	io->data_start = sizeof(*io);
	io->dev = dev;
	if (ioctl(fd, DM_TABLE_STATUS, io))
		return err_errno("the device-mapper table of %s", name);
	at = io->data_start;
	for (uint32_t i = 0; i < io->target_count; i++) {
		const struct dm_target_spec *spec = (const void *)((const char *)io + at);

		if (at + sizeof(*spec) > DM_BYTES || (io->flags & DM_BUFFER_FULL_FLAG))
			return err_new(ERR_REFUSED, "%s has too large a device-mapper table", name);
		TRY(check_dm_type(spec->target_type, name));
		at = io->data_start + spec->next;
	}
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
		CLEANUP_FREE char *text = NULL;
		char file[PATH_MAX + 512];
		unsigned int major, minor;
		size_t n;

		if (d->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s/dev", folder, d->d_name);
		e = io_read_file(file, 64, &text, &n);
		if (!e && sscanf(text, "%u:%u", &major, &minor) == 2)
			e = check_device(makedev(major, minor), depth + 1);
	}
	closedir(dir);
	return e;
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
		TRY(check_dm(dev, name));
	return check_slaves(path, depth);
}

err_t stack_check(dev_t dev)
{
	return check_device(dev, 0);
}
