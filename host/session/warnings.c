/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session/warnings.h"

#include "base/util.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* 0 is off, for both; warn_limit is a number of warnings since the boot. */
static const char *const names[WARNINGS_SETTINGS] = {"panic_on_warn", "warn_limit"};

static int open_setting(const char *folder, int i)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
	return open(path, O_RDWR | O_CLOEXEC);
}

static bool set(int fd, const char *value)
{
	return pwrite(fd, value, strlen(value), 0) == (ssize_t)strlen(value);
}

void warnings_allow(const char *folder, struct warnings *w)
{
	for (int i = 0; i < WARNINGS_SETTINGS; i++) {
		CLEANUP_CLOSE int fd = open_setting(folder, i);
		char *before = w->before[i];
		ssize_t n = fd < 0 ? -1 : pread(fd, before, sizeof(w->before[i]) - 1, 0);

		before[n > 0 ? n : 0] = '\0';
		if (!strcmp(before, "0\n") || !set(fd, "0\n"))
			*before = '\0';
	}
}

void warnings_restore(const char *folder, const struct warnings *w)
{
	for (int i = 0; i < WARNINGS_SETTINGS; i++) {
		CLEANUP_CLOSE int fd = *w->before[i] ? open_setting(folder, i) : -1;

		if (fd >= 0)
			set(fd, w->before[i]);
	}
}
