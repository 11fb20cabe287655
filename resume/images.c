/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/images.h"

#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "image/reader.h"
#include "jump/loader.h"
#include "keys/locked.h"
#include "resume/extfile.h"
#include "resume/fit.h"
#include "resume/imagekey.h"
#include "resume/launch.h"
#include "resume/pinned.h"
#include "resume/swapfinish.h"

#include <stdio.h>
#include <string.h>

/* What a sealed image is read with; in locked memory. */
struct image_unlocked {
	uint8_t image_key[IMAGE_KEY_BYTES];
	struct image_keys keys;
};

/* A device that appears by itself: not one that somebody opens or assembles later. */
static bool appears(const char *name)
{
	const char *rest = name + strlen("/dev/");

	return !strncmp(name, "/dev/", strlen("/dev/")) && strncmp(rest, "dm-", 3) != 0 &&
	       (!strchr(rest, '/') || !strncmp(rest, "disk/", strlen("disk/")));
}

/*
 * By its name or, where it is no device of its own, by its pin. Of swap that was off when
 * it was written to (open_target) the name is needed, too.
 */
static bool is_there(const struct options *o, unsigned int i)
{
	const char *name = o->targets[i], *luks = config_luks_device(name);
	const struct pin *pin = pins_of(&o->pins, name);

	if (!pin)
		return !access(luks ? luks : name, F_OK);
	return pinned_is_there(NULL, pin) &&
	       (pin->kind != PIN_LOCATOR || !appears(name) || !access(name, F_OK));
}

/* Disks appear a little after the kernel starts its first program. */
static void wait_for_all(const struct options *o)
{
	for (unsigned int tenths = o->wait_seconds * 10; tenths; tenths--) {
		unsigned int there = 0;

		for (unsigned int i = 0; i < o->target_count; i++)
			there += is_there(o, i);
		if (there == o->target_count)
			return;
		usleep(100000);
	}
}

/* Is this another name of a target before it? */
static bool seen_before(const struct options *o, unsigned int i)
{
	for (unsigned int k = 0; k < i; k++)
		if (target_same_device(o->targets[k], o->targets[i]))
			return true;
	return false;
}

static err_t open_pinned(const char *name, const struct pin *pin, struct image *image)
{
	TRY(pinned_open(NULL, pin, &image->target, image->disk));
	image->pin = pin;
	snprintf(image->target.name, sizeof(image->target.name), "%s", name);
	return NULL;
}

/* What can be known of it without its passphrase. */
static err_t find_luks(const char *name, const struct options *o, struct image *image)
{
	TRY(luksimage_create(name, o, &image->luks));
	image->closed = true;
	image->target.fd = -1;
	snprintf(image->target.name, sizeof(image->target.name), "%s", name);
	return NULL;
}

/*
 * By its pin, if it has one. Where a locator is, the device's own superblocks are not
 * looked at: to them it would look like a mark that is left over. Without one, a swap
 * area may have been off when it was written to, as a device.
 */
static err_t open_target(const char *name, const struct options *o, struct image *image)
{
	const struct pin *pin = pins_of(&o->pins, name);
	err_t e;

	if (!pin)
		return target_open(&image->target, name, true, true);
	e = open_pinned(name, pin, image);
	if (!e || err_kind(e) != ERR_FORMAT || pin->kind != PIN_LOCATOR || access(name, F_OK))
		return e;
	err_free(e);
	return target_open(&image->target, name, true, true);
}

/* Of a target that is open; it is closed on an error. */
static err_t load_superblocks(struct image *image)
{
	err_t e = commit_load(&image->target, &image->commit);

	/* A locator without an image is put back, too. */
	if (!e || (err_kind(e) == ERR_FORMAT && image->target.locator))
		swapfinish(&image->target, &image->commit);
	if (e)
		target_close(&image->target);
	return e;
}

/* ERR_FORMAT: nothing there, and nothing to be said. */
static err_t open_image(const char *name, const struct options *o, struct image *image)
{
	memset(image, 0, sizeof(*image));
	if (config_luks_device(name))
		return find_luks(name, o, image);
	TRY(open_target(name, o, image));
	return load_superblocks(image);
}

/* By the name that people know, again. */
static err_t open_mapping(struct image *image, const char *path)
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

/* What a boot could not say in the image; from now on the image says it. */
static void take_over_mark(struct image *image)
{
	if (image->luks->skipped)
		image_mark(image);
}

/* On an error it is closed again: this does not end as one of other targets, by which the
 * boot would go on beside what may be an image. */
bool image_open(struct image *image)
{
	char path[LUKSIMAGE_PATH_MAX];
	bool person = false;
	err_t e;

	if (!image->closed)
		return true;
	e = luksimage_open(image->luks, path, &person);
	if (!e) {
		e = open_mapping(image, path);
		if (e)
			luksimage_close(image->luks);
	}
	image->closed = e && err_kind(e) != ERR_FORMAT;
	if (!e) {
		take_over_mark(image);
		return true;
	}
	verdict_of_closed(e, person, &image->verdict);
	err_free(e);
	return false;
}

static void take_error(struct images *all, const char *device, err_t e)
{
	bool unfit = err_kind(e) == ERR_CORRUPT || err_kind(e) == ERR_UNSUPPORTED ||
		     err_kind(e) == ERR_REFUSED;

	if (err_kind(e) != ERR_FORMAT) {
		/* Without this kind's writer nobody may touch it, nor mark it. */
		log_warn("%s: %s%s", device, err_text(e),
			 unfit ? "; nothing there can be resumed, and nothing is changed" : "");
		all->refused |= unfit;
		all->failed |= !unfit;
	}
	err_free(e);
}

void images_open(struct images *all, const struct options *o)
{
	memset(all, 0, sizeof(*all));
	wait_for_all(o);
	for (unsigned int i = 0; i < o->target_count; i++) {
		err_t e;

		if (seen_before(o, i))
			continue;
		e = open_image(o->targets[i], o, &all->list[all->count]);
		if (e)
			take_error(all, o->targets[i], e);
		else
			all->count++;
	}
}

static void lock(struct image *image)
{
	locked_destroy(image->unlocked, sizeof(*image->unlocked));
	image->unlocked = NULL;
}

/* Is there something that a later boot must be able to see? */
static bool is_left(const struct image *image)
{
	const struct commit *c = &image->commit;

	return image->closed || c->holds_image || c->unreadable ||
	       image->verdict.outcome != OUTCOME_NOTHING;
}

void images_close(struct images *all)
{
	for (size_t i = 0; i < all->count; i++) {
		lock(&all->list[i]);
		writer_files_free(&all->list[i].writer);
		target_close(&all->list[i].target);
		luksimage_destroy(all->list[i].luks, !is_left(&all->list[i]));
	}
}

/* The fingerprints first: where they tell that the filesystem was written to, nobody need be
 * asked about its file. */
static err_t check_fit(struct image *image, const struct options *o)
{
	TRY(fit_check(&image->target, &image->commit.slot, NULL, o->writer_dir, &image->host,
		      &image->writer));
	return image->pin ? extfile_check(NULL, image->pin, image->disk) : NULL;
}

void image_judge(struct image *image, const struct options *o)
{
	const struct slot *slot = &image->commit.slot;
	err_t e;

	if (!image_open(image))
		return;
	verdict_of_slots(&image->commit, &image->verdict);
	if (!image->verdict.may_try)
		return;
	writer_files_free(&image->writer);
	e = imagekey_check(&image->target, slot, o);
	if (!e)
		e = check_fit(image, o);
	verdict_add_fit(&image->commit, e, &image->verdict);
	image->has_host = !e;
	err_free(e);
	if (image->has_host)
		return;
	/* Whose it is, for the question. */
	e = image_read_header(&image->target, slot, NULL, &image->host);
	image->has_host = !e;
	err_free(e);
}

/* The image as its key says that it is: nothing else of it was believed so far. */
static err_t check_unlocked(struct image *image, const struct options *o)
{
	const struct slot *slot = &image->commit.slot;
	struct image_unlocked *u = image->unlocked;

	TRY(imagekeys_derive(u->image_key, slot->nonce, &u->keys));
	writer_files_free(&image->writer);
	return fit_check(&image->target, slot, &u->keys, o->writer_dir, &image->host,
			 &image->writer);
}

static err_t get_key(struct image *image, const struct options *o, bool *again, bool *person)
{
	void *p;

	TRY(locked_create(sizeof(*image->unlocked), &p));
	image->unlocked = p;
	return imagekey_get(&image->target, &image->commit.slot, o, image->unlocked->image_key,
			    again, person);
}

bool image_unlock(struct image *image, const struct options *o)
{
	bool opened, again = false, person = false;
	err_t e;

	if (!slot_is_sealed(&image->commit.slot))
		return true;
	lock(image);
	e = get_key(image, o, &again, &person);
	opened = !e;
	if (!e)
		e = check_unlocked(image, o);
	if (!e)
		return true;
	lock(image);
	log_warn("%s: %s", image->target.name, err_text(e));
	if (again)
		verdict_add_locked(e, &image->verdict);
	else if (!opened)
		verdict_add_unopened(&image->commit, e, &image->verdict);
	else
		verdict_add_fit(&image->commit, e, &image->verdict);
	image->verdict.person = person;
	err_free(e);
	return false;
}

err_t image_give_up(struct image *image, const char *reason)
{
	struct commit now;
	err_t e, also;

	if (image->closed)
		return luksimage_discard(image->luks);
	e = commit_retire(&image->target, &image->commit, reason);
	if (!e)
		return NULL;
	/* One place suffices: RETIRED is newer than whatever the other one has. */
	also = target_flush(&image->target);
	if (!also)
		also = commit_load(&image->target, &now);
	if (!also && now.slot.state == SLOT_RETIRED) {
		log_warn("%s: only one superblock could be written: %s", image->target.name,
			 err_text(e));
		err_free(e);
		return NULL;
	}
	err_free(also);
	return e;
}

bool image_count(struct image *image)
{
	char reason[SLOT_REASON_MAX];
	err_t e;

	if (!image->verdict.counted)
		return false;
	verdict_reason(&image->verdict, reason);
	e = commit_resume_failed(&image->target, &image->commit, reason);
	if (e)
		log_warn("%s: the reason could not be written into the image: %s",
			 image->target.name, err_text(e));
	err_free(e);
	return !e;
}

void image_mark(struct image *image)
{
	err_t e;

	if (image->closed)
		e = luksimage_skip(image->luks);
	else if (verdict_marks(&image->commit))
		e = commit_resume_failed(&image->target, &image->commit,
					 "this was not wanted at a boot since (noresume)");
	else
		return;
	if (e)
		log_warn("%s: the image could not be marked as refused (%s): discard it before "
			 "its disks are used",
			 image->target.name, err_text(e));
	err_free(e);
}

/*
 * The writer resumes what is VALID in one slot and known of the other. What became
 * of a RESUMING or a damaged one has been decided: every fingerprint still matches.
 */
static err_t make_valid(struct image *image)
{
	if (image->commit.slot.state == SLOT_VALID && image->commit.twin_good)
		return NULL;
	return commit_resume_failed(&image->target, &image->commit, image->verdict.text);
}

/* This boot goes on, perhaps: the key of the image is not to stay loaded. */
static void unload(void)
{
	err_t e = loader_unload();

	if (e)
		log_warn("the writer, and with it the key of the image, stays loaded: %s",
			 err_text(e));
	err_free(e);
}

err_t image_resume(struct image *image, const struct options *o)
{
	char hostname[sizeof(image->host.hostname)], release[sizeof(image->host.release)];
	const struct hostinfo *host = &image->host;
	const struct image_unlocked *u = image->unlocked;
	err_t e;

	TRY(make_valid(image));
	log_info("resuming the image of %s (%s) on %s, %llu MiB",
		 text_printable(hostname, sizeof(hostname), host->hostname),
		 text_printable(release, sizeof(release), host->release), image->target.name,
		 (unsigned long long)(image->commit.slot.image_end / MIB));
	e = launch_load(&image->target, image->luks, &image->commit.slot, host,
			u ? u->image_key : NULL, &image->writer, o->writer_cmdline, &o->started);
	lock(image); /* what is loaded has it */
	if (!e)
		e = loader_jump();
	unload();
	return e;
}
