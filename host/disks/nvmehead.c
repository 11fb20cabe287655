/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/nvmehead.h"

#include "base/util.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HEADS "/devices/virtual/nvme-subsystem/"

/* Is it a way to that disk of that subsystem: "nvme0c1n1" of "nvme0n1"? */
static bool is_way(const char *name, unsigned int subsystem, unsigned int disk)
{
	unsigned int s, controller, d;
	int end = 0;

	return sscanf(name, "nvme%uc%un%u%n", &s, &controller, &d, &end) == 3 && !name[end] &&
	       s == subsystem && d == disk;
}

static bool is_far(const char *blocks, const char *name)
{
	char path[PATH_MAX], real[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", blocks, name);
	return !realpath(path, real) || strstr(real, "/devices/virtual/");
}

enum nvmehead nvmehead_look(const char *sys, const char *folder)
{
	unsigned int subsystem, disk, ways = 0;
	char blocks[PATH_MAX / 2];
	struct dirent *d;
	bool far = false;
	DIR *dir;

	if (!strstr(folder, HEADS))
		return NVMEHEAD_NONE;
	if (sscanf(strrchr(folder, '/'), "/nvme%un%u", &subsystem, &disk) != 2)
		return NVMEHEAD_FAR;
	snprintf(blocks, sizeof(blocks), "%s/class/block", sys);
	dir = opendir(blocks);
	while (dir && (d = readdir(dir))) {
		if (!is_way(d->d_name, subsystem, disk))
			continue;
		far |= is_far(blocks, d->d_name);
		ways++;
	}
	if (dir)
		closedir(dir);
	if (ways > 1)
		return NVMEHEAD_SEVERAL;
	return ways && !far ? NVMEHEAD_SINGLE : NVMEHEAD_FAR;
}
