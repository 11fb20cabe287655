/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/pinned.h"

#include "base/log.h"
#include "base/util.h"
#include "image/commit.h"
#include "image/located.h"

#include <stdio.h>
#include <string.h>

static err_t scan(const struct disk_where *where, const struct pin *pin, struct disk **out,
		  size_t *count)
{
	struct disk *disks = NULL;
	size_t n = 0, kept = 0;

	TRY(disk_scan(where, &disks, &n));
	for (size_t i = 0; i < n; i++)
		if (pins_on_disk(pin, disks[i].identity, disks[i].bytes))
			disks[kept++] = disks[i];
	*out = disks;
	*count = kept;
	return NULL;
}

bool pinned_is_there(const struct disk_where *where, const struct pin *pin)
{
	struct disk *disks = NULL;
	size_t count = 0;
	err_t e = scan(where, pin, &disks, &count);

	err_free(e);
	free(disks);
	return !e && count;
}

/* The head of a file is one by its superblocks; a locator by itself. */
static err_t open_head(const char *path, const struct pin *pin, struct target *out)
{
	struct commit c;
	err_t e;

	TRY(located_open_head(path, true, pin->byte, out));
	e = commit_load(out, &c);
	if (e && c.unreadable) {
		target_close(out);
		err_free(e);
		return err_new(ERR_IO, "the superblocks on %s cannot be read", path);
	}
	if (!e || err_kind(e) != ERR_FORMAT) {
		err_free(e); /* whoever opened it is told again */
		return NULL;
	}
	target_close(out);
	return e;
}

static err_t open_on(const struct disk_where *where, const struct disk *disk, const struct pin *pin,
		     struct target *out, char *path)
{
	disk_path(where, disk, path, TARGET_NAME_MAX);
	return pin->kind == PIN_HEAD ? open_head(path, pin, out)
				     : located_open_locator(path, true, pin->byte, out);
}

/* What several disks of one size and identity gave. */
struct found {
	unsigned int count; /* that have something of ours there */
	struct target target;
	err_t error; /* of the one that has, in place of target */
	char path[TARGET_NAME_MAX];
	err_t unread; /* of the first one that does not tell whether it has */
};

static void try_disk(const struct disk_where *where, const struct disk *disk, const struct pin *pin,
		     struct found *f)
{
	char path[TARGET_NAME_MAX];
	struct target t = {.fd = -1};
	err_t e = open_on(where, disk, pin, &t, path);

	if (e && err_kind(e) == ERR_FORMAT) {
		err_free(e);
		return;
	}
	/* The other two say that something of ours is there. */
	if (e && err_kind(e) != ERR_CORRUPT && err_kind(e) != ERR_UNSUPPORTED) {
		f->unread = err_first(f->unread, e);
		return;
	}
	if (f->count++) { /* told below; which one does not matter */
		if (!e)
			target_close(&t);
		err_free(e);
		return;
	}
	f->target = t;
	f->error = e;
	strcpy(f->path, path);
}

static err_t take(struct found *f, const struct pin *pin, size_t disks, struct target *out,
		  char *path)
{
	if (!disks)
		return err_new(ERR_INVALID, "no disk of %llu bytes%s%s is there",
			       (unsigned long long)pin->disk_bytes, *pin->identity ? ", " : "",
			       pin->identity);
	if (!f->count && f->unread)
		return f->unread;
	if (f->unread)
		log_warn("%s", err_text(f->unread));
	err_free(f->unread);
	if (!f->count)
		return err_new(ERR_FORMAT, "there is no image");
	if (f->count > 1) {
		if (!f->error)
			target_close(&f->target);
		err_free(f->error);
		return err_new(ERR_REFUSED, "%u disks have it, and nobody knows which one counts",
			       f->count);
	}
	if (f->error)
		return f->error;
	*out = f->target;
	strcpy(path, f->path);
	return NULL;
}

err_t pinned_open(const struct disk_where *where, const struct pin *pin, struct target *out,
		  char *path)
{
	CLEANUP_FREE struct disk *disks = NULL;
	struct found f = {.count = 0};
	size_t count = 0;

	TRY(scan(where, pin, &disks, &count));
	for (size_t i = 0; i < count; i++)
		try_disk(where, &disks[i], pin, &f);
	return take(&f, pin, count, out, path);
}
