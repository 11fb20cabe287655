/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/mounts.h"

#include "base/io.h"
#include "base/text.h"
#include "base/util.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define TEXT_MAX (8u << 20)

/* The first word of an option list is ro or rw. */
static bool is_rw(const char *options)
{
	return !strncmp(options, "rw", 2) && (options[2] == ',' || !options[2]);
}

/*
 * proc(5): id parent major:minor root path options [tags...] - type source
 * superblock-options. A read-only bind mount of a writable superblock counts:
 * the last field decides. false: not wanted, or not such a line.
 */
static bool parse_line(char *line, struct mount *m)
{
	char *tail = strstr(line, " - "), *rest = NULL;
	unsigned int major, minor;
	char *type, *source, *options, *field;

	if (!tail)
		return false;
	*tail = '\0';
	type = strtok_r(tail + 3, " ", &rest);
	source = strtok_r(NULL, " ", &rest);
	options = strtok_r(NULL, " ", &rest);
	if (!options)
		return false;
	m->writable = is_rw(options);
	if (sscanf(line, "%u %*u %u:%u", &m->id, &major, &minor) != 3)
		return false;
	strtok_r(line, " ", &rest);
	for (int i = 0; i < 3; i++)
		strtok_r(NULL, " ", &rest);
	field = strtok_r(NULL, " ", &rest);
	if (!field)
		return false;
	text_unescape(field);
	text_unescape(source);
	m->superblock = makedev(major, minor);
	m->path = field;
	m->type = type;
	m->source = source;
	return true;
}

static bool known(const struct mounts *mounts, dev_t superblock)
{
	for (size_t i = 0; i < mounts->count; i++) {
		if (mounts->m[i].superblock == superblock)
			return true;
	}
	return false;
}

enum which { WRITABLE, ON_DISKS, EVERY };

/* What most do not ask for lies in memory, or elsewhere. */
static bool is_wanted(const struct mount *m, enum which which)
{
	dev_t dev;

	if (which == EVERY)
		return true;
	return (which == ON_DISKS || m->writable) &&
	       (mounts_on_disk(m, &dev) || !strcmp(m->type, "zfs"));
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	while ((text = strchr(text, '\n'))) {
		text++;
		n++;
	}
	return n;
}

static err_t parse_take(char *text, enum which which, struct mounts *out)
{
	char *rest = NULL;

	out->count = 0;
	out->text = NULL;
	out->m = calloc(count_lines(text), sizeof(*out->m));
	if (!out->m)
		return err_new(ERR_NOMEM, "no memory for what is mounted");
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct mount m;

		if (!parse_line(line, &m) || !is_wanted(&m, which))
			continue;
		m.again = known(out, m.superblock);
		out->m[out->count++] = m;
	}
	out->text = text;
	return NULL;
}

err_t mounts_parse_take(char *text, bool all, struct mounts *out)
{
	return parse_take(text, all ? ON_DISKS : WRITABLE, out);
}

static err_t read_some(enum which which, struct mounts *out)
{
	char *text = NULL;
	size_t n;
	err_t e;

	TRY(io_read_file("/proc/self/mountinfo", TEXT_MAX, &text, &n));
	e = parse_take(text, which, out);
	if (e)
		free(text);
	return e;
}

err_t mounts_read(struct mounts *out)
{
	return read_some(WRITABLE, out);
}

err_t mounts_read_all(struct mounts *out)
{
	return read_some(ON_DISKS, out);
}

err_t mounts_read_every(struct mounts *out)
{
	return read_some(EVERY, out);
}

void mounts_free(struct mounts *mounts)
{
	free(mounts->m);
	free(mounts->text);
	mounts->m = NULL;
	mounts->text = NULL;
	mounts->count = 0;
}

bool mounts_on_disk(const struct mount *m, dev_t *dev)
{
	struct stat st;

	/* Its superblock's number is the device's own, except for filesystems
	 * over several devices (btrfs, bcachefs), which have major 0. */
	if (major(m->superblock)) {
		*dev = m->superblock;
		return true;
	}
	/* Sources elsewhere are folders, maybe of a FUSE filesystem, whose process may be frozen
	 * when this is asked. */
	*dev = 0;
	if (!strncmp(m->source, "/dev/", 5) && !stat(m->source, &st) && S_ISBLK(st.st_mode))
		*dev = st.st_rdev;
	return *dev || !strcmp(m->type, "btrfs") || !strcmp(m->type, "bcachefs");
}
