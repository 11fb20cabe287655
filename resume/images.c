/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/images.h"

#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "image/reader.h"
#include "jump/loader.h"
#include "resume/fit.h"
#include "resume/launch.h"
#include "resume/swapfinish.h"

#include <stdio.h>
#include <string.h>

/* Disks appear a little after the kernel starts its first program. */
static void wait_for_all(const struct options *o)
{
	for (unsigned int tenths = o->wait_seconds * 10; tenths; tenths--) {
		unsigned int there = 0;

		for (unsigned int i = 0; i < o->target_count; i++)
			there += !access(o->targets[i], F_OK);
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

/* ERR_FORMAT: nothing there, and nothing to be said. */
static err_t open_image(const char *device, struct image *image)
{
	err_t e;

	memset(image, 0, sizeof(*image));
	TRY(target_open(&image->target, device, true, true));
	e = commit_load(&image->target, &image->commit);
	if (e)
		target_close(&image->target);
	else
		swapfinish(&image->target, &image->commit);
	return e;
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
		e = open_image(o->targets[i], &all->list[all->count]);
		if (e)
			take_error(all, o->targets[i], e);
		else
			all->count++;
	}
}

void images_close(struct images *all)
{
	for (size_t i = 0; i < all->count; i++) {
		writer_files_free(&all->list[i].writer);
		target_close(&all->list[i].target);
	}
}

void image_judge(struct image *image, const struct options *o)
{
	const struct slot *slot = &image->commit.slot;
	err_t e;

	verdict_of_slots(&image->commit, &image->verdict);
	if (!image->verdict.may_try)
		return;
	writer_files_free(&image->writer);
	e = fit_check(&image->target, slot, NULL, o->writer_dir, &image->host, &image->writer);
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

err_t image_give_up(struct image *image, const char *reason)
{
	struct commit now;
	err_t e = commit_retire(&image->target, &image->commit, reason), also;

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

	if (!verdict_marks(&image->commit))
		return;
	e = commit_resume_failed(&image->target, &image->commit,
				 "this was not wanted at a boot since (noresume)");
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

err_t image_resume(struct image *image, const struct options *o)
{
	char hostname[sizeof(image->host.hostname)], release[sizeof(image->host.release)];
	const struct hostinfo *host = &image->host;

	TRY(make_valid(image));
	log_info("resuming the image of %s (%s) on %s, %llu MiB",
		 text_printable(hostname, sizeof(hostname), host->hostname),
		 text_printable(release, sizeof(release), host->release), image->target.name,
		 (unsigned long long)(image->commit.slot.image_end / MIB));
	TRY(launch_load(&image->target, &image->commit.slot, host, NULL, &image->writer,
			o->writer_cmdline, &o->started));
	return loader_jump();
}
