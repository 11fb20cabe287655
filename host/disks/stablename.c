/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/stablename.h"

#include "base/util.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Where names of the device are. Not by-uuid: swap with a random key has another one each
 * time. */
static const char *const folders[] = {"/dev/mapper", "/dev/disk/by-partuuid", "/dev/disk/by-id"};

static err_t put(const char *name, char *out, size_t n)
{
	if (strlen(name) >= n)
		return err_new(ERR_REFUSED, "too long a name: %s", name);
	strcpy(out, name);
	return NULL;
}

/* The device's name in this folder, or false. */
static bool find_in(const char *folder, dev_t dev, char *name, size_t n)
{
	DIR *dir = opendir(folder);
	bool found = false;
	struct dirent *d;
	struct stat st;

	while (dir && !found && (d = readdir(dir))) {
		snprintf(name, n, "%s/%s", folder, d->d_name);
		found = !stat(name, &st) && S_ISBLK(st.st_mode) && st.st_rdev == dev;
	}
	if (dir)
		closedir(dir);
	return found;
}

err_t stablename_of(const char *path, char *out, size_t n)
{
	char name[PATH_MAX];
	struct stat st;

	if (stat(path, &st))
		return err_errno("%s", path);
	for (size_t i = 0; S_ISBLK(st.st_mode) && i < ARRAY_LEN(folders); i++)
		if (find_in(folders[i], st.st_rdev, name, sizeof(name)))
			return put(name, out, n);
	return put(path, out, n);
}

bool stablename_better(const char *path, char *out, size_t n)
{
	struct stat st;
	err_t e;

	if (lstat(path, &st) || !S_ISBLK(st.st_mode))
		return false; /* of a link somebody takes care */
	e = stablename_of(path, out, n);
	if (!e)
		return strcmp(path, out) != 0;
	err_free(e);
	return false;
}
