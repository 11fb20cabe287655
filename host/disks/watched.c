/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/watched.h"

#include "base/io.h"
#include "base/util.h"
#include "fingerprint/disk.h"
#include "host/disks/bottom.h"
#include "host/disks/namespaces.h"
#include "host/disks/places.h"
#include "host/disks/stack.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#define RAID_MARK 176u /* half of the member's UUID, and flags (struct mdp_superblock_1) */

struct finding_places {
	struct prints *prints;
	dev_t devs[PRINTS_DISKS_MAX]; /* of its disks */
	const struct mount *mount;
	const struct place *place;
	char name[PRINT_NAME_MAX];
};

static err_t disk_number(struct finding_places *f, const struct bottom *b, uint32_t *out)
{
	struct prints *p = f->prints;

	for (*out = 0; *out < p->disk_count; (*out)++) {
		if (f->devs[*out] == b->disk)
			return NULL;
	}
	if (p->disk_count == PRINTS_DISKS_MAX)
		return err_new(ERR_REFUSED, "filesystems on more than %u disks", PRINTS_DISKS_MAX);
	f->devs[p->disk_count] = b->disk;
	p->disks[p->disk_count].bytes = b->bytes;
	disk_identity(b->folder, p->disks[p->disk_count].identity);
	p->disk_count++;
	return NULL;
}

static err_t read_mark(const struct bottom *b, struct print *print)
{
	uint64_t at = print->offset + print->mark_at, from = align_down(at, 512);
	CLEANUP_FREE uint8_t *room = disk_room();
	CLEANUP_CLOSE int fd = -1;
	char real[PATH_MAX];
	struct disk disk = {.bytes = b->bytes};
	const uint8_t *bytes;

	if (!room)
		return err_new(ERR_NOMEM, "no memory");
	if (!realpath(b->folder, real))
		return err_errno("%s", b->folder);
	snprintf(disk.name, sizeof(disk.name), "%s", strrchr(real, '/') + 1);
	TRY(disk_open(NULL, &disk, &fd));
	TRY(disk_read(fd, &disk, room, from, 512, &bytes));
	memcpy(print->mark, bytes + (at - from), PRINT_MARK_BYTES);
	return NULL;
}

static err_t add_piece(const struct bottom *b, void *ctx)
{
	struct finding_places *f = ctx;
	bool whole = b->length == f->place->length;
	struct print print = {
		.kind = f->place->kind,
		.offset = b->offset,
		.length = b->length,
		.mark_at = f->place->mark_at,
	};

	if (b->raid) {
		print.kind = PRINT_RAID;
		print.mark_at = RAID_MARK;
	} else if (!whole) {
		print.mark_at = PRINT_NO_MARK;
		if (print.kind == PRINT_WANTED) /* no head can be found in a part */
			print.kind = PRINT_LOG;
	}
	if (b->scrambled)
		print.mark_at = PRINT_NO_MARK;
	strcpy(print.name, f->name);
	TRY(disk_number(f, b, &print.disk));
	if (print.mark_at != PRINT_NO_MARK)
		TRY(read_mark(b, &print));
	return prints_add(f->prints, &print);
}

static err_t add_place(const struct place *p, void *ctx)
{
	struct finding_places *f = ctx;

	f->place = p;
	return bottom_find(p->dev, p->offset, p->length, add_piece, f);
}

/* Can nobody write to it: neither we nor another system? */
static bool is_fixed(const struct mount *m, dev_t dev)
{
	static const char *const types[] = {"squashfs", "erofs", "iso9660", "cramfs", "romfs"};
	CLEANUP_FREE char *text = NULL;
	char path[64];
	bool fixed = false;
	size_t n;
	err_t e;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		fixed |= !strcmp(m->type, types[i]);
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/ro", major(dev), minor(dev));
	e = io_read_file(path, 16, &text, &n);
	if (!e)
		fixed |= !m->writable && *text == '1';
	err_free(e);
	return fixed;
}

static err_t add_mount(struct finding_places *f, char *weak)
{
	const struct mount *m = f->mount;
	char path[64];
	dev_t dev;

	if (m->again || !mounts_on_disk(m, &dev) || is_fixed(m, dev))
		return NULL;
	stack_name(dev, path, sizeof(path));
	snprintf(f->name, sizeof(f->name), "%.40s (%.10s on %.20s)", m->path, m->type, path);
	if (places_weak(m->type))
		strcpy(weak, f->name);
	return err_context(places_find(m->type, dev, path, add_place, f), "%s", f->name);
}

err_t watched_find(struct prints *out, char weak[PRINT_NAME_MAX])
{
	CLEANUP_FREE struct finding_places *f = calloc(1, sizeof(*f));
	struct mounts mounts;
	err_t e;

	if (!f)
		return err_new(ERR_NOMEM, "no memory");
	memset(out, 0, sizeof(*out));
	*weak = '\0';
	f->prints = out;
	TRY(mounts_read_all(&mounts));
	e = namespaces_check(&mounts);
	for (size_t i = 0; !e && i < mounts.count; i++) {
		f->mount = &mounts.m[i];
		e = add_mount(f, weak);
	}
	mounts_free(&mounts);
	return e;
}

err_t watched_changed(const struct prints *before, bool *changed)
{
	CLEANUP_FREE struct prints *now = malloc(sizeof(*now));
	char weak[PRINT_NAME_MAX];

	if (!now)
		return err_new(ERR_NOMEM, "no memory");
	TRY(watched_find(now, weak));
	*changed = memcmp(before, now, sizeof(*now)) != 0;
	return NULL;
}
