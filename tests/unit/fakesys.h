/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A made-up /sys with block devices, all of major number 1. Devices are named by their
 * folders, as they are beneath /sys/devices.
 */
#ifndef UNIT_FAKESYS_H
#define UNIT_FAKESYS_H

#include "unit.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct fakesys {
	char top[64];
};

static inline int fakesys_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static inline void fakesys_deinit(struct fakesys *f)
{
	assert_int_equal(nftw(f->top, fakesys_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void fakesys_init(struct fakesys *f)
{
	strcpy(f->top, "/tmp/dormouse-sys-XXXXXX");
	assert_non_null(mkdtemp(f->top));
}

/* The path top/PART/name, with all folders up to it. */
static inline void fakesys_path(const struct fakesys *f, const char *part, const char *name,
				char out[512])
{
	snprintf(out, 512, "%s/%s/%s", f->top, part, name);
	for (char *p = out + strlen(f->top) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(out, 0700))
			assert_int_equal(errno, EEXIST);
		*p = '/';
	}
}

static inline void fakesys_file(const struct fakesys *f, const char *device, const char *name,
				const char *text)
{
	char part[256], path[512];
	FILE *file;

	snprintf(part, sizeof(part), "devices/%s", device);
	fakesys_path(f, part, name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%s\n", text);
	fclose(file);
}

static inline void fakesys_number(const struct fakesys *f, const char *device, const char *name,
				  uint64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	fakesys_file(f, device, name, text);
}

/* top/PART/name leads to a device. */
static inline void fakesys_link_in(const struct fakesys *f, const char *part, const char *name,
				   const char *to)
{
	char path[512], target[512];

	fakesys_path(f, part, name, path);
	snprintf(target, sizeof(target), "%s/devices/%s", f->top, to);
	assert_int_equal(symlink(target, path), 0);
}

/* So does name in a device's folder. */
static inline void fakesys_link(const struct fakesys *f, const char *device, const char *name,
				const char *to)
{
	char part[256];

	snprintf(part, sizeof(part), "devices/%s", device);
	fakesys_link_in(f, part, name, to);
}

/* Without minor number it is hidden. */
static inline void fakesys_block(const struct fakesys *f, unsigned int minor, const char *device,
				 uint64_t sectors)
{
	const char *slash = strrchr(device, '/');
	char number[32];

	assert_non_null(slash);
	fakesys_number(f, device, "size", sectors);
	fakesys_link_in(f, "class/block", slash + 1, device);
	if (!minor)
		return;
	snprintf(number, sizeof(number), "1:%u", minor);
	fakesys_file(f, device, "dev", number);
	fakesys_link_in(f, "dev/block", number, device);
}

static inline void fakesys_partition(const struct fakesys *f, unsigned int minor,
				     const char *device, uint64_t start, uint64_t sectors)
{
	fakesys_block(f, minor, device, sectors);
	fakesys_number(f, device, "partition", 1);
	fakesys_number(f, device, "start", start);
}

#endif
