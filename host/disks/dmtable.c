/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/dmtable.h"

#include "base/util.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#define DM_BYTES 65536u
#define SECTOR	 512u

static err_t unknown(const char *type, const char *params)
{
	return err_new(ERR_REFUSED, "device-mapper line not understood: %s %.60s", type, params);
}

/* linear: DEV START */
static err_t linear(const char *params, uint64_t at, uint64_t count, struct dm_piece *out)
{
	unsigned long long start;
	unsigned int major, minor;

	if (sscanf(params, "%u:%u %llu", &major, &minor, &start) != 3)
		return unknown("linear", params);
	*out = (struct dm_piece){
		.dev = makedev(major, minor), .sector = start + at, .count = count};
	return NULL;
}

/*
 * crypt: CIPHER KEY IV_OFFSET DEV START [...]. With XTS each 16 bytes are encrypted by
 * themselves, so what stays in the filesystem stays on the disk.
 */
static err_t encrypted(const char *params, uint64_t at, uint64_t count, struct dm_piece *out)
{
	unsigned long long start;
	unsigned int major, minor;
	char cipher[128];

	if (sscanf(params, "%127s %*s %*u %u:%u %llu", cipher, &major, &minor, &start) != 4)
		return unknown("crypt", params);
	*out = (struct dm_piece){
		.dev = makedev(major, minor),
		.sector = start + at,
		.count = count,
		.encrypted = true,
		.scrambled = !strstr(cipher, "xts") || strstr(params, "integrity:"),
	};
	return NULL;
}

/* striped: N CHUNK [DEV START] * N */
static err_t striped(const char *params, uint64_t at, uint64_t count, struct dm_piece *out)
{
	unsigned long long stripes, chunk, start;
	unsigned int major, minor;
	uint64_t number;
	int used;

	if (sscanf(params, "%llu %llu%n", &stripes, &chunk, &used) != 2 || !stripes || !chunk)
		return unknown("striped", params);
	number = at / chunk;
	params += used;
	for (uint64_t i = 0; i <= number % stripes; i++, params += used) {
		if (sscanf(params, " %u:%u %llu%n", &major, &minor, &start, &used) != 3)
			return unknown("striped", params);
	}
	*out = (struct dm_piece){
		.dev = makedev(major, minor),
		.sector = start + number / stripes * chunk + at % chunk,
		.count = min_u64(count, chunk - at % chunk),
	};
	return NULL;
}

static err_t line(const char *type, const char *params, uint64_t at, uint64_t count,
		  struct dm_piece *out)
{
	if (!strcmp(type, "linear"))
		return linear(params, at, count, out);
	if (!strcmp(type, "crypt"))
		return encrypted(params, at, count, out);
	if (!strcmp(type, "striped"))
		return striped(params, at, count, out);
	*out = (struct dm_piece){.sector = at, .count = count};
	if (!strcmp(type, "multipath"))
		out->all_paths = true;
	else if (!strcmp(type, "zero") || !strcmp(type, "error"))
		out->nowhere = true;
	else
		return unknown(type, params);
	return NULL;
}

err_t dmtable_line(const char *type, const char *params, uint64_t at, uint64_t count,
		   struct dm_piece *out)
{
	TRY(line(type, params, at, count, out));
	/* Whoever counts in bytes must be able to. */
	if (out->sector > UINT64_MAX / SECTOR || out->count > UINT64_MAX / SECTOR - out->sector)
		return unknown(type, params);
	return NULL;
}

/* A device's table, by DM_TABLE_STATUS (include/uapi/linux/dm-ioctl.h). */
struct table {
	struct dm_ioctl *io;
	const char *name;
	uint32_t at, line;
};

static err_t table_open(struct table *t, dev_t dev, const char *name)
{
	CLEANUP_CLOSE int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	CLEANUP_FREE struct dm_ioctl *io = calloc(1, DM_BYTES);

	if (fd < 0)
		return err_errno("opening /dev/mapper/control");
	if (!io)
		return err_new(ERR_NOMEM, "looking at %s", name);
	io->version[0] = DM_VERSION_MAJOR;
	io->data_size = DM_BYTES;
	io->data_start = sizeof(*io);
	io->dev = dev;
	io->flags = DM_STATUS_TABLE_FLAG;
	if (ioctl(fd, DM_TABLE_STATUS, io))
		return err_errno("the device-mapper table of %s", name);
	*t = (struct table){io, name, io->data_start, 0};
	io = NULL;
	return NULL;
}

/* The next line, NULL at the end; its parameters stand behind it. */
static err_t table_next(struct table *t, const struct dm_target_spec **out)
{
	const struct dm_target_spec *spec = (const void *)((const char *)t->io + t->at);

	*out = NULL;
	if (t->line == t->io->target_count)
		return NULL;
	if (t->at + sizeof(*spec) >= DM_BYTES || (t->io->flags & DM_BUFFER_FULL_FLAG))
		return err_new(ERR_REFUSED, "%s has too large a device-mapper table", t->name);
	t->line++;
	t->at = t->io->data_start + spec->next;
	*out = spec;
	return NULL;
}

static void table_close(struct table *t)
{
	explicit_bzero(t->io, DM_BYTES); /* an old kernel writes the key of crypt */
	free(t->io);
}

static err_t find(struct table *t, uint64_t at, uint64_t count, struct dm_piece *out)
{
	const struct dm_target_spec *spec;

	for (;;) {
		uint64_t start, end;

		TRY(table_next(t, &spec));
		if (!spec)
			return err_new(ERR_REFUSED, "%s has no sector %llu", t->name,
				       (unsigned long long)at);
		start = spec->sector_start;
		end = start + spec->length;
		if (at >= start && at < end)
			return dmtable_line(spec->target_type, (const char *)(spec + 1), at - start,
					    min_u64(count, end - at), out);
	}
}

err_t dmtable_find(dev_t dev, const char *name, uint64_t at, uint64_t count, struct dm_piece *out)
{
	struct table t;
	err_t e;

	TRY(table_open(&t, dev, name));
	e = find(&t, at, count, out);
	table_close(&t);
	return e;
}

err_t dmtable_types(dev_t dev, const char *name, err_t (*fn)(const char *type, const char *name))
{
	const struct dm_target_spec *spec;
	struct table t;
	err_t e;

	TRY(table_open(&t, dev, name));
	for (;;) {
		e = table_next(&t, &spec);
		if (e || !spec)
			break;
		e = fn(spec->target_type, name);
		if (e)
			break;
	}
	table_close(&t);
	return e;
}
