/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session/watchdogs.h"

#include "base/io.h"
#include "base/util.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file of the watchdog's folder, owned by the caller; NULL when it is not there. */
static char *attribute(const char *sys_class, const char *name, const char *file)
{
	char path[PATH_MAX];
	char *text = NULL;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s/%s", sys_class, name, file);
	err_free(io_read_file(path, 256, &text, &n));
	return text;
}

static uint32_t running(const char *sys_class, const char *name)
{
	CLEANUP_FREE char *state = attribute(sys_class, name, "state");
	CLEANUP_FREE char *timeout = attribute(sys_class, name, "timeout");

	if (!state || !timeout || strcmp(state, "active\n"))
		return 0;
	return (uint32_t)strtoul(timeout, NULL, 10);
}

uint32_t watchdogs_running(const char *sys_class)
{
	DIR *dir = opendir(sys_class);
	uint32_t timeout = 0;
	struct dirent *d;

	while (dir && !timeout && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			timeout = running(sys_class, d->d_name);
	if (dir)
		closedir(dir);
	return timeout;
}
