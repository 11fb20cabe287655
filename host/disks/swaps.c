/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/swaps.h"

#include "base/io.h"
#include "base/text.h"
#include "base/util.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DELETED " (deleted)"

static bool is_deleted(const char *path)
{
	size_t n = strlen(path), tail = strlen(DELETED);

	return n > tail && !strcmp(path + n - tail, DELETED);
}

/* "/dev/dm-1   partition   8388604   12   -2", sizes in KiB */
static err_t parse_line(char *line, struct swap *out)
{
	size_t n = strcspn(line, " \t");
	unsigned long long size, used;
	char type[16];

	if (sscanf(line + n, " %15s %llu %llu %d", type, &size, &used, &out->priority) != 4 ||
	    line[0] != '/' || n >= sizeof(out->path))
		return err_new(ERR_INVALID, "/proc/swaps has a line that is not understood: %.80s",
			       line);
	memcpy(out->path, line, n);
	out->path[n] = '\0';
	text_unescape(out->path);
	out->is_file = !strcmp(type, "file");
	out->bytes = size * KIB;
	out->used = used * KIB;
	return NULL;
}

err_t swaps_parse(char *text, struct swaps *out)
{
	char *rest = NULL, *line = strtok_r(text, "\n", &rest);
	struct swap one;

	out->count = 0;
	while (line && (line = strtok_r(NULL, "\n", &rest))) { /* the first has the titles */
		TRY(parse_line(line, &one));
		if (is_deleted(one.path))
			continue;
		if (out->count == SWAPS_MAX)
			return err_new(ERR_REFUSED, "more than %u swap areas are on", SWAPS_MAX);
		out->list[out->count++] = one;
	}
	return NULL;
}

err_t swaps_read(struct swaps *out)
{
	CLEANUP_FREE char *text = NULL;
	size_t n;

	out->count = 0;
	if (access("/proc/swaps", F_OK)) /* a kernel without swap */
		return NULL;
	TRY(io_read_file("/proc/swaps", 1 << 20, &text, &n));
	return swaps_parse(text, out);
}

static bool same(const struct stat *a, const struct stat *b)
{
	if (S_ISBLK(a->st_mode) && S_ISBLK(b->st_mode))
		return a->st_rdev == b->st_rdev;
	return S_ISREG(a->st_mode) && S_ISREG(b->st_mode) && a->st_dev == b->st_dev &&
	       a->st_ino == b->st_ino;
}

const struct swap *swaps_find(const struct swaps *s, const char *path)
{
	struct stat wanted, st;

	if (stat(path, &wanted))
		return NULL;
	for (uint32_t i = 0; i < s->count; i++)
		if (!stat(s->list[i].path, &st) && same(&wanted, &st))
			return &s->list[i];
	return NULL;
}
