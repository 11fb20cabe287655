/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/pinned.h"

#include "base/log.h"
#include "base/util.h"
#include "image/commit.h"
#include "image/located.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum pins_disk match(const struct pin *pin, const struct disk *d)
{
	return pins_disk(pin, d->identity, d->bytes);
}

/* A locator and its map know each other and their places; of a head any superblock would do. */
static bool may_be(const struct pin *pin, const struct disk *d)
{
	enum pins_disk m = match(pin, d);

	return m == PINS_DISK_UNNAMED || (m == PINS_DISK_RENAMED && pin->kind == PIN_LOCATOR);
}

/*
 * The disks that are the pin's by size and identity (*same); without any, those that may be:
 * this kernel may show another identity than the one that it was pinned with, or none.
 */
static err_t scan(const struct disk_where *where, const struct pin *pin, bool *same,
		  struct disk **out, size_t *count)
{
	struct disk *disks = NULL;
	size_t n = 0, kept = 0;

	*same = false;
	TRY(disk_scan(where, &disks, &n));
	for (size_t i = 0; i < n; i++)
		*same |= match(pin, &disks[i]) == PINS_DISK_SAME;
	for (size_t i = 0; i < n; i++)
		if (*same ? match(pin, &disks[i]) == PINS_DISK_SAME : may_be(pin, &disks[i]))
			disks[kept++] = disks[i];
	*out = disks;
	*count = kept;
	return NULL;
}

bool pinned_is_there(const struct disk_where *where, const struct pin *pin)
{
	struct disk *disks = NULL;
	size_t count = 0;
	bool same;
	err_t e = scan(where, pin, &same, &disks, &count);

	err_free(e);
	free(disks);
	return !e && same;
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

/* What cannot be used on a disk that says that it is another one is that one's. */
static bool says_nothing(const struct pin *pin, const struct disk *d, err_t e)
{
	return e && (err_kind(e) == ERR_FORMAT || match(pin, d) == PINS_DISK_RENAMED);
}

static void try_disk(const struct disk_where *where, const struct disk *d, const struct pin *pin,
		     struct found *f)
{
	struct candidate new = {.count = 1}, *c;
	struct found_there there;
	char path[TARGET_NAME_MAX];

	disk_path(where, d, path, sizeof(path));
	new.error = open_on(path, pin, &new.target, &there);
	if (says_nothing(pin, d, new.error)) {
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

static err_t no_disk(const struct pin *pin)
{
	return err_new(ERR_INVALID, "no disk of %llu bytes%s%s is there",
		       (unsigned long long)pin->disk_bytes, *pin->identity ? ", " : "",
		       pin->identity);
}

/* The one that counts; *out and path are its own from then on. */
static err_t take(struct found *f, const struct pin *pin, bool same, struct target *out, char *path)
{
	struct candidate *chosen;
	err_t e;

	if (!same && !f->ours.count && !f->unread.count)
		return no_disk(pin);
	e = choose(f, &chosen);
	if (chosen)
		chosen->count = 0; /* what it has is handed on */
	if (e)
		return e;
	if (!same)
		log_warn("%s is taken for the disk that was pinned (%s), though this kernel shows "
			 "another serial number of it, or none",
			 chosen->path, *pin->identity ? pin->identity : "-");
	*out = chosen->target;
	strcpy(path, chosen->path);
	return NULL;
}

err_t pinned_open(const struct disk_where *where, const struct pin *pin, struct target *out,
		  char *path)
{
	CLEANUP_FREE struct disk *disks = NULL;
	struct found f = {0};
	size_t count = 0;
	bool same;
	err_t e;

	TRY(scan(where, pin, &same, &disks, &count));
	for (size_t i = 0; i < count; i++)
		try_disk(where, &disks[i], pin, &f);
	e = take(&f, pin, same, out, path);
	discard(&f.ours);
	discard(&f.unread);
	return e;
}

/* ERR_FORMAT: no image is there. Another error of its superblocks is told to whoever asks
 * again. */
static err_t open_named(const char *name, struct target *out)
{
	struct commit c;
	err_t e;

	TRY(target_open(out, name, true, true));
	e = commit_load(out, &c);
	if (e && err_kind(e) == ERR_FORMAT) {
		target_close(out);
		return e;
	}
	err_free(e);
	return NULL;
}

err_t pinned_open_or_named(const struct disk_where *where, const char *name, const struct pin *pin,
			   struct target *out, char *path)
{
	err_t e = pinned_open(where, pin, out, path), named;

	if (!e || (err_kind(e) != ERR_FORMAT && err_kind(e) != ERR_INVALID) ||
	    pin->kind != PIN_LOCATOR || access(name, F_OK))
		return e;
	*path = '\0';
	named = open_named(name, out);
	/* A disk that is not there is more than "no image". */
	if (named && err_kind(named) == ERR_FORMAT && err_kind(e) == ERR_INVALID) {
		err_free(named);
		return e;
	}
	if (err_kind(e) == ERR_INVALID)
		log_warn("%s: %s; it is looked for by its name", name, err_text(e));
	err_free(e);
	return named;
}
