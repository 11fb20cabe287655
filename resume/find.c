/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/find.h"

#include "base/util.h"
#include "image/located.h"
#include "resume/pinned.h"
#include "resume/swapfinish.h"
#include "resume/waiting.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOKS	 6u /* at what cannot be read; as host/session/session_settle.c */
#define PAUSE_US 200000u

/* What a look at a place gave. */
enum look {
	LOOK_SURE,	 /* checksums and all */
	LOOK_NOTHING,	 /* not ours; of that there is no checksum */
	LOOK_DAMAGED,	 /* a bit may have been flipped on the way */
	LOOK_UNREADABLE, /* a disk may still be coming back */
};

static enum look look_of(err_t e)
{
	switch (err_kind(e)) {
	case ERR_UNSUPPORTED:
	case ERR_INVALID:
		return LOOK_SURE;
	case ERR_FORMAT:
		return LOOK_NOTHING;
	case ERR_CORRUPT:
		return LOOK_DAMAGED;
	default:
		return LOOK_UNREADABLE;
	}
}

/* After so many looks, is there to be another one? Waits before it, but where each boot
 * without an image would. */
static bool again(unsigned int looks, enum look last)
{
	if (last == LOOK_SURE || looks >= (last == LOOK_UNREADABLE ? LOOKS : 2))
		return false;
	if (last != LOOK_NOTHING)
		usleep(PAUSE_US);
	return true;
}

/* A head is opened without its map, too: a fresh file has none. */
static enum look look_of_target(err_t e, const struct target *t)
{
	if (e)
		return look_of(e);
	if (t->map_unreadable)
		return LOOK_UNREADABLE;
	return t->map_gone ? LOOK_NOTHING : LOOK_SURE;
}

static err_t open_pinned(const char *name, const struct pin *pin, struct image *image)
{
	err_t e = pinned_open_or_named(NULL, name, pin, &image->target, image->disk);

	for (unsigned int looks = 1; again(looks, look_of_target(e, &image->target)); looks++) {
		if (!e)
			target_close(&image->target);
		err_free(e);
		e = pinned_open_or_named(NULL, name, pin, &image->target, image->disk);
	}
	TRY(e);
	image->pin = *image->disk ? pin : NULL;
	snprintf(image->target.name, sizeof(image->target.name), "%s", name);
	return NULL;
}

static err_t open_device(const char *name, struct image *image)
{
	err_t e = target_open(&image->target, name, true, true);

	for (unsigned int looks = 1; e && again(looks, look_of(e)); looks++) {
		err_free(e);
		e = target_open(&image->target, name, true, true);
	}
	return e;
}

/* What can be known of it without its passphrase. */
static err_t find_luks(const char *name, const struct options *o, struct image *image)
{
	err_t e = luksimage_create(name, o, &image->luks);

	/* Its header has a checksum: of "nothing" one look is enough. */
	for (unsigned int looks = 1; e && err_kind(e) != ERR_FORMAT && again(looks, look_of(e));
	     looks++) {
		err_free(e);
		e = luksimage_create(name, o, &image->luks);
	}
	TRY(e);
	image->closed = true;
	image->target.fd = -1;
	snprintf(image->target.name, sizeof(image->target.name), "%s", name);
	return NULL;
}

/*
 * By its pin, if it has one. Where a locator is, the device's own superblocks are not
 * looked at: to them it would look like a mark that is left over.
 */
static err_t open_target(const char *name, const struct options *o, struct image *image)
{
	const struct pin *pin = pins_of(&o->pins, name);

	return pin ? open_pinned(name, pin, image) : open_device(name, image);
}

static enum look look_of_slots(err_t e, const struct commit *c)
{
	if (c->unreadable)
		return LOOK_UNREADABLE;
	if (e)
		return look_of(e);
	return c->twin_good && !commit_is_dead(c) ? LOOK_SURE : LOOK_DAMAGED;
}

/* Of what is damaged beside what cannot be read nobody knows that it is all that there is. */
static err_t load_slots(const struct target *t, struct commit *c)
{
	err_t e = commit_load(t, c);

	for (unsigned int looks = 1; again(looks, look_of_slots(e, c)); looks++) {
		err_free(e);
		e = commit_load(t, c);
	}
	if (!e || !c->unreadable || err_kind(e) != ERR_CORRUPT)
		return e;
	err_free(e);
	return err_new(ERR_IO, "one superblock of %s is damaged, and the other one cannot be read",
		       t->name);
}

/* Of a target that is open; it is closed on an error. */
static err_t load_superblocks(struct image *image)
{
	err_t e = load_slots(&image->target, &image->commit);

	/* A locator without an image is put back, too. */
	if (!e || (err_kind(e) == ERR_FORMAT && image->target.locator))
		swapfinish(&image->target, &image->commit);
	if (e)
		target_close(&image->target);
	return e;
}

err_t find_image(const struct options *o, unsigned int i, struct image *out)
{
	const char *name = o->targets[i];

	memset(out, 0, sizeof(*out));
	out->number = i;
	if (config_luks_device(name))
		return find_luks(name, o, out);
	TRY(open_target(name, o, out));
	return load_superblocks(out);
}

/* By the name that people know, again. */
err_t find_in_luks(struct image *image, const char *path)
{
	char name[TARGET_NAME_MAX];
	err_t e;

	strcpy(name, image->target.name);
	e = target_open(&image->target, path, true, true);
	strcpy(image->target.name, name);
	if (e)
		image->target.fd = -1;
	return e ? e : load_superblocks(image);
}
