/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/images.h"

#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "image/reader.h"
#include "jump/loader.h"
#include "keys/locked.h"
#include "resume/extfile.h"
#include "resume/find.h"
#include "resume/fit.h"
#include "resume/imagekey.h"
#include "resume/launch.h"
#include "resume/waiting.h"

#include <stdio.h>
#include <string.h>

/* What a sealed image is read with; in locked memory. */
struct image_unlocked {
	uint8_t image_key[IMAGE_KEY_BYTES];
	struct image_keys keys;
};

/* Is this another name of a target before it? */
static bool seen_before(const struct options *o, unsigned int i)
{
	for (unsigned int k = 0; k < i; k++)
		if (target_same_device(o->targets[k], o->targets[i]))
			return true;
	return false;
}

/* What a boot could not say in the image; from now on the image says it. */
static void take_over_mark(struct image *image)
{
	if (image->luks->skipped)
		image_mark(image);
}

bool image_is_unknown(const struct image *image)
{
	return image->closed && !image->luks;
}

/* Its verdict says so until it can be read. */
static void set_unknown(struct image *image, const char *name, err_t e)
{
	image->closed = true;
	image->target.fd = -1;
	snprintf(image->target.name, sizeof(image->target.name), "%s", name);
	verdict_of_unknown(e, &image->verdict);
}

static bool open_unknown(struct image *image, const struct options *o)
{
	const char *name = o->targets[image->number];
	err_t e = find_image(o, image->number, image);

	if (!e)
		return true;
	set_unknown(image, name, e);
	image->closed = image->verdict.outcome == OUTCOME_UNKNOWN;
	err_free(e);
	return false;
}

/* On an error it is closed again: this does not end as one of other targets, by which the
 * boot would go on beside what may be an image. */
static bool open_luks(struct image *image)
{
	char path[LUKSIMAGE_PATH_MAX];
	bool person = false;
	err_t e = luksimage_open(image->luks, path, &person);

	if (!e) {
		e = find_in_luks(image, path);
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

bool image_open(struct image *image, const struct options *o)
{
	if (image_is_unknown(image) && !open_unknown(image, o))
		return false;
	return image->closed ? open_luks(image) : true;
}

/* Without this kind's writer nobody may touch it, nor mark it. */
static void tell_unfit(struct images *all, const char *name, err_t e)
{
	log_warn("%s: %s; nothing there can be resumed, and nothing is changed", name, err_text(e));
	all->refused = true;
}

static void tell_absent(struct images *all, const char *name, err_t e)
{
	log_warn("%s: %s; IF AN IMAGE IS ON IT, IT IS LOST when this boot goes on", name,
		 err_text(e));
	all->failed = true;
}

/* Only of one that is there can it be asked what is on it. */
static void take_error(struct images *all, const struct options *o, unsigned int i, err_t e)
{
	struct image *image = &all->list[all->count];

	if (err_kind(e) == ERR_CORRUPT || err_kind(e) == ERR_UNSUPPORTED) {
		tell_unfit(all, o->targets[i], e);
	} else if (err_kind(e) != ERR_FORMAT && !waiting_is_there(o, i)) {
		tell_absent(all, o->targets[i], e);
	} else if (err_kind(e) != ERR_FORMAT) {
		set_unknown(image, o->targets[i], e);
		all->count++;
	}
	err_free(e);
}

void images_open(struct images *all, const struct options *o)
{
	memset(all, 0, sizeof(*all));
	waiting_for_targets(o);
	for (unsigned int i = 0; i < o->target_count; i++) {
		err_t e;

		if (seen_before(o, i))
			continue;
		e = find_image(o, i, &all->list[all->count]);
		if (e)
			take_error(all, o, i, e);
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

/* All that can be known without its key. */
static err_t check_closed(struct image *image, const struct options *o)
{
	writer_files_free(&image->writer);
	TRY(imagekey_check(&image->target, &image->commit.slot, o));
	return check_fit(image, o);
}

/* The image as its key says that it is: nothing else of it was believed so far. */
static err_t check_unlocked(struct image *image, const struct options *o)
{
	const struct slot *slot = &image->commit.slot;
	struct image_unlocked *u = image->unlocked;

	writer_files_free(&image->writer);
	TRY(imagekeys_derive(u->image_key, slot->nonce, &u->keys));
	return fit_check(&image->target, slot, &u->keys, o->writer_dir, &image->host,
			 &image->writer);
}

/*
 * What no boot can ever resume is given up for good, so that is not said after one look: all
 * of it is read past caches once more. Nor is it resumed unasked when both differ. false: it
 * is not to be resumed, and the verdict tells why.
 */
static bool check_twice(struct image *image, const struct options *o,
			err_t (*check)(struct image *, const struct options *))
{
	err_t e = check(image, o), first = NULL;

	if (verdict_fit(e) == FIT_NEVER) {
		first = e;
		e = check(image, o);
	}
	if (first && !e)
		verdict_add_doubt(first, &image->verdict);
	else
		verdict_add_fit(&image->commit, e, &image->verdict);
	image->has_host = !e;
	err_free(e);
	err_free(first);
	return !e && !first;
}

void image_judge(struct image *image, const struct options *o)
{
	err_t e;

	if (!image_open(image, o))
		return;
	verdict_of_slots(&image->commit, &image->verdict);
	if (!image->verdict.may_try || check_twice(image, o, check_closed) || image->has_host)
		return;
	/* Whose it is, for the question. */
	e = image_read_header(&image->target, &image->commit.slot, NULL, &image->host);
	image->has_host = !e;
	err_free(e);
}

static err_t get_key(struct image *image, const struct options *o, bool *again, bool *person)
{
	void *p;

	TRY(locked_create(sizeof(*image->unlocked), &p));
	image->unlocked = p;
	return imagekey_get(&image->target, &image->commit.slot, o,
			    image->luks ? image->luks->typed : NULL, image->unlocked->image_key,
			    again, person);
}

static void tell_locked(struct image *image, err_t e, bool again)
{
	log_warn("%s: %s", image->target.name, err_text(e));
	if (again)
		verdict_add_locked(e, &image->verdict);
	else
		verdict_add_unopened(&image->commit, e, &image->verdict);
}

bool image_unlock(struct image *image, const struct options *o)
{
	bool good = false, again = false, person = false;
	err_t e;

	if (!slot_is_sealed(&image->commit.slot)) {
		luksimage_forget(image->luks);
		return true;
	}
	lock(image);
	e = get_key(image, o, &again, &person);
	luksimage_forget(image->luks);
	if (e)
		tell_locked(image, e, again);
	else
		good = check_twice(image, o, check_unlocked);
	err_free(e);
	if (good)
		return true;
	lock(image);
	image->verdict.person = person;
	return false;
}

err_t image_give_up(struct image *image, const char *reason)
{
	struct commit now;
	err_t e, also;

	if (image_is_unknown(image))
		return err_new(ERR_REFUSED, "it cannot be written to as long as nobody knows what "
					    "it is");
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

	if (image_is_unknown(image))
		e = err_new(ERR_REFUSED, "%s", image->verdict.text);
	else if (image->closed)
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
void image_unload(void)
{
	err_t e = loader_unload();

	if (e)
		log_warn("the writer, and with it the key of the image, stays loaded: %s",
			 err_text(e));
	err_free(e);
}

err_t image_load(struct image *image, const struct options *o)
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
	if (e)
		image_unload();
	return e;
}

err_t image_jump(void)
{
	return loader_jump();
}
