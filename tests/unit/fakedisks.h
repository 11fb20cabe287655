/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disks that are files, in a folder with a /sys/class/block and a /dev of its own. */
#ifndef UNIT_FAKEDISKS_H
#define UNIT_FAKEDISKS_H

#include "unit.h"

#include "fingerprint/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct fakedisks {
	char top[64], sys[80], dev[80];
	struct disk_where where;
};

static inline void fakedisks_text(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", text);
	fclose(f);
}

static inline void fakedisks_add(const struct fakedisks *m, const char *name, uint64_t bytes,
				 const char *serial)
{
	char path[256], text[32];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", m->sys, name);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes / 512);
	fakedisks_text(path, "size", text);
	if (*serial)
		fakedisks_text(path, "serial", serial);
	snprintf(path, sizeof(path), "%s/%s", m->dev, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	close(fd);
}

static inline void fakedisks_init(struct fakedisks *m)
{
	strcpy(m->top, "/tmp/dormouse-disks-XXXXXX");
	assert_non_null(mkdtemp(m->top));
	snprintf(m->sys, sizeof(m->sys), "%s/sys", m->top);
	snprintf(m->dev, sizeof(m->dev), "%s/dev", m->top);
	assert_int_equal(mkdir(m->sys, 0700), 0);
	assert_int_equal(mkdir(m->dev, 0700), 0);
	m->where = (struct disk_where){m->sys, m->dev};
}

static inline void fakedisks_deinit(struct fakedisks *m)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", m->top);
	assert_int_equal(system(command), 0);
}

#endif
