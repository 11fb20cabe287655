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

/* What there is at the place of one disk, besides a target or an error. */
struct found_there {
	bool unread; /* it does not tell whether there is something of ours */
	bool idle;   /* it tells that there is no image */
};

/* The head of a file is one by its superblocks; a locator by itself. */
static err_t open_head(const char *path, const struct pin *pin, struct target *out,
		       struct found_there *there)
{
	struct commit c;
	err_t e;

	TRY(located_open_head(path, true, pin->byte, out));
	e = commit_load(out, &c);
	there->unread = e && c.unreadable;
	there->idle = !e && !c.unreadable && c.twin_good && !c.holds_image;
	if (!e || there->unread || err_kind(e) != ERR_FORMAT) {
		err_free(e); /* whoever opened it is told again */
		return NULL;
	}
	target_close(out);
	return e;
}

static err_t open_on(const char *path, const struct pin *pin, struct target *out,
		     struct found_there *there)
{
	err_t e;

	*there = (struct found_there){.unread = false};
	if (pin->kind == PIN_HEAD)
		e = open_head(path, pin, out, there);
	else
		e = located_open_locator(path, true, pin->byte, out);
	/* The other two say that something is there; ERR_FORMAT, that nothing is. */
	if (e && err_kind(e) != ERR_FORMAT && err_kind(e) != ERR_CORRUPT &&
	    err_kind(e) != ERR_UNSUPPORTED)
		there->unread = true;
	return e;
}

/* The first of some disks, and how many there are. */
struct candidate {
	unsigned int count;
	bool idle; /* all of them */
	struct target target;
	err_t error; /* in place of target */
	char path[TARGET_NAME_MAX];
};

/* What several disks of one size and identity gave. */
struct found {
	struct candidate ours, unread;
};

static void discard(struct candidate *c)
{
	if (!c->count)
		return;
	if (!c->error)
		target_close(&c->target);
	err_free(c->error);
}

static void try_disk(const char *path, const struct pin *pin, struct found *f)
{
	struct candidate new = {.count = 1}, *c;
	struct found_there there;

	new.error = open_on(path, pin, &new.target, &there);
	if (new.error && err_kind(new.error) == ERR_FORMAT) {
		err_free(new.error);
		return;
	}
	strcpy(new.path, path);
	new.idle = there.idle;
	c = there.unread ? &f->unread : &f->ours;
	if (!c->count) {
		*c = new;
		return;
	}
	c->count++;
	c->idle &= new.idle;
	discard(&new);
}

/* One that does not tell is opened, too, and whoever does so is told: "nobody knows" is not
 * "there is none". */
static err_t choose(struct found *f, struct candidate **chosen)
{
	*chosen = NULL;
	/* Copies of a disk on which no image is: which one counts does not matter. */
	if (f->ours.count > 1 && f->ours.idle && !f->unread.count)
		return err_new(ERR_FORMAT, "there is no image");
	if (f->ours.count > 1)
		return err_new(ERR_REFUSED, "%u disks have it, and nobody knows which one counts",
			       f->ours.count);
	if (f->ours.count && f->unread.count)
		log_warn("%s cannot be read where the image on %s would be, if it were its copy",
			 f->unread.path, f->ours.path);
	if (!f->ours.count && f->unread.count > 1)
		return err_new(ERR_IO, "%u disks may have it, and cannot be read there",
			       f->unread.count);
	if (!f->ours.count && !f->unread.count)
		return err_new(ERR_FORMAT, "there is no image");
	*chosen = f->ours.count ? &f->ours : &f->unread;
	return (*chosen)->error;
}

err_t pinned_open(const struct disk_where *where, const struct pin *pin, struct target *out,
		  char *path)
{
	CLEANUP_FREE struct disk *disks = NULL;
	struct candidate *chosen;
	struct found f = {0};
	size_t count = 0;
	err_t e;

	TRY(scan(where, pin, &disks, &count));
	if (!count)
		return err_new(ERR_INVALID, "no disk of %llu bytes%s%s is there",
			       (unsigned long long)pin->disk_bytes, *pin->identity ? ", " : "",
			       pin->identity);
	for (size_t i = 0; i < count; i++) {
		char at[TARGET_NAME_MAX];

		disk_path(where, &disks[i], at, sizeof(at));
		try_disk(at, pin, &f);
	}
	e = choose(&f, &chosen);
	if (!e) {
		*out = chosen->target;
		strcpy(path, chosen->path);
	}
	if (chosen)
		chosen->count = 0; /* what it has is handed on */
	discard(&f.ours);
	discard(&f.unread);
	return e;
}
