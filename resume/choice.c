/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Outline: images are judged; hopeless ones are retired; more than one left: which?
 * One that needs it is asked about. When none is left that could be resumed, and this boot
 * would go on, damaged ones are asked about, and targets of which nobody knows what is on
 * them. Every answer either ends this boot (resumed,
 * rebooted, off) or ends the image; only "try" may fail and come round again, with
 * the new reason.
 */
#include "resume/choice.h"

#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "resume/ask.h"

#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>

#define QUESTION_BYTES 4096

/* What is done; as keys, which are shown. */
enum action {
	ACTION_TRY = 't',
	ACTION_REBOOT = 'r',
	ACTION_DISCARD = 'd',
	ACTION_POWEROFF = 'p',
};

static enum action action_of(enum config_resume unanswered)
{
	switch (unanswered) {
	case CONFIG_RESUME_DISCARD:
		return ACTION_DISCARD;
	case CONFIG_RESUME_POWEROFF:
		return ACTION_POWEROFF;
	case CONFIG_RESUME_REBOOT:
		break;
	}
	return ACTION_REBOOT;
}

static const char *action_name(int action)
{
	switch (action) {
	case ACTION_TRY:
		return "try to resume it now";
	case ACTION_REBOOT:
		return "reboot and try again";
	case ACTION_DISCARD:
		return "discard the image and boot";
	case ACTION_POWEROFF:
		return "power off, the image is kept";
	}
	return "resume this one";
}

/* Of a target that perhaps has none. */
static const char *unknown_action_name(int action)
{
	switch (action) {
	case ACTION_TRY:
		return "look again";
	case ACTION_DISCARD:
		return "boot without it; an image on it is then lost";
	case ACTION_POWEROFF:
		return "power off, nothing is changed";
	}
	return action_name(action);
}

/*
 * The question's answer. waits: without one, nothing is done until a person comes;
 * where none ever can, the machine is switched off, which loses nothing.
 */
static int answer(struct question *q, const struct options *o, enum config_resume otherwise,
		  const char *(*name)(int), bool waits)
{
	int action = action_of(otherwise), key = ASK_NOBODY;
	char unanswered[128];

	if (waits)
		snprintf(unanswered, sizeof(unanswered), "This waits for an answer.");
	else
		snprintf(unanswered, sizeof(unanswered), "Without an answer in %u s: %s.",
			 o->answer_seconds, name(action));
	q->unanswered = unanswered;
	if (waits || o->answer_seconds)
		key = ask_console(q, waits ? ASK_NO_LIMIT : (int)o->answer_seconds);
	if (key > 0) {
		log_info("answered: %s", name(key));
		return key;
	}
	if (waits)
		action = ACTION_POWEROFF;
	log_info("%s: %s", key == ASK_NO_CONSOLE ? "there is no console to ask on" : "not answered",
		 name(action));
	return action;
}

static void put_text(const struct image *image, char text[QUESTION_BYTES])
{
	const struct verdict *v = &image->verdict;
	const char *more = v->again ? "Another boot often helps.\n" : "";
	const char *name = image->target.name;

	if (v->outcome == OUTCOME_UNKNOWN)
		snprintf(text, QUESTION_BYTES,
			 "Dormouse: nobody knows whether an image is on %s: %s\n%s", name, v->text,
			 more);
	else if (v->outcome == OUTCOME_DAMAGED)
		snprintf(text, QUESTION_BYTES,
			 "Dormouse: the image on %s can never be resumed: %s\nAs long as it is not "
			 "discarded, what is whole of it can be saved elsewhere\n(dormouse unpack "
			 "--keep-going).\n",
			 name, v->text);
	else
		snprintf(text, QUESTION_BYTES, "Dormouse: the image on %s is not resumed: %s\n%s",
			 name, v->text, more);
}

static int ask_about(const struct image *image, const struct options *o)
{
	static const enum action others[] = {ACTION_REBOOT, ACTION_DISCARD, ACTION_POWEROFF};
	const struct verdict *v = &image->verdict;
	bool unknown = v->outcome == OUTCOME_UNKNOWN;
	const char *(*name)(int) = unknown ? unknown_action_name : action_name;
	struct question q = {.count = 0};
	char text[QUESTION_BYTES];

	put_text(image, text);
	q.text = text;
	if (v->may_try || unknown)
		ask_add(&q, ACTION_TRY, name(ACTION_TRY));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		ask_add(&q, (char)others[i], name(others[i]));
	return answer(&q, o, verdict_unanswered(v, o->unanswered), name,
		      verdict_waits(v, &image->commit, o->unanswered));
}

/* "1  /dev/vdb: guest, 2026-01-01 12:00 UTC, 300 MiB" */
static size_t describe(const struct image *image, char *out, size_t n)
{
	char host[sizeof(image->host.hostname)], when[64];
	int used;

	if (image->closed) {
		used = snprintf(out, n, "%s: not opened; %s", image->target.name,
				image->verdict.text);
		return min_u64((uint64_t)used, n - 1);
	}
	text_printable(host, sizeof(host), image->has_host ? image->host.hostname : "unknown host");
	text_time(when, sizeof(when), "%F %H:%M UTC", image->commit.slot.created, true);
	used = snprintf(out, n, "%s: %s, %s, %llu MiB%s%s", image->target.name, host, when,
			(unsigned long long)(image->commit.slot.image_end / MIB),
			image->verdict.text[0] ? "; " : "", image->verdict.text);
	return min_u64((uint64_t)used, n - 1);
}

/* Which of several? Its number, or the action for all. */
static int ask_which(const struct images *all, const size_t *which, size_t count,
		     const struct options *o)
{
	struct question q = {
		.text = "Dormouse: there is more than one image that could be resumed. The one "
			"that\nis chosen makes the others worthless: they are discarded.\n"};
	static char lines[CONFIG_TARGETS_MAX][VERDICT_TEXT_MAX + 256];

	for (size_t i = 0; i < count; i++) {
		describe(&all->list[which[i]], lines[i], sizeof(lines[i]));
		log_info("image %zu of %zu: %s", i + 1, count, lines[i]);
		ask_add(&q, (char)('1' + i), lines[i]);
	}
	ask_add(&q, ACTION_REBOOT, action_name(ACTION_REBOOT));
	ask_add(&q, ACTION_DISCARD, "discard all of them and boot");
	ask_add(&q, ACTION_POWEROFF, "power off, all are kept");
	return answer(&q, o, o->unanswered, action_name, o->unanswered == CONFIG_RESUME_REBOOT);
}

/* An error: a later boot might still resume it. */
static err_t give_up(struct image *image, const char *why)
{
	char reason[SLOT_REASON_MAX];

	snprintf(reason, sizeof(reason), "discarded at boot: %s", why);
	TRY(err_context(image_give_up(image, reason),
			"THE IMAGE ON %s COULD NOT BE DISCARDED; do it before its disks are used",
			image->target.name));
	image->verdict.outcome = OUTCOME_NOTHING;
	log_info("%s: the image is discarded, its session is lost", image->target.name);
	return NULL;
}

/* End this boot; every image that can keeps the reason. */
static err_t leave(struct images *all, const size_t *which, size_t count, int action)
{
	for (size_t i = 0; i < count; i++)
		image_count(&all->list[which[i]]);
	log_info("%s", action == ACTION_REBOOT ? "rebooting" : "powering off");
	reboot(action == ACTION_REBOOT ? RB_AUTOBOOT : RB_POWER_OFF);
	return err_errno(action == ACTION_REBOOT ? "rebooting" : "powering off");
}

/* Those that could be resumed. */
static size_t open_ones(const struct images *all, size_t *which)
{
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].verdict.outcome == OUTCOME_RESUME ||
		    all->list[i].verdict.outcome == OUTCOME_ASK)
			which[count++] = i;
	return count;
}

/* Those that are left to decide on: of the others one at a time, since what becomes of them
 * does not matter when one is resumed. */
static size_t undecided(const struct images *all, size_t *which)
{
	size_t count = open_ones(all, which);

	for (size_t i = 0; i < all->count && !count; i++)
		if (all->list[i].verdict.outcome == OUTCOME_DAMAGED ||
		    all->list[i].verdict.outcome == OUTCOME_UNKNOWN)
			which[count++] = i;
	return count;
}

/* dormouse.retry does not mean one that only was not opened. */
static void judge(struct image *image, const struct options *o)
{
	image_judge(image, o);
	if (o->retry && !image->closed)
		verdict_retry(&image->verdict);
}

/* What no boot can resume. When that cannot be done, the other images are looked at all the
 * same. */
static void drop(struct image *image, bool *failed)
{
	err_t e = give_up(image, image->verdict.text);

	if (!e)
		return;
	log_warn("%s", err_text(e));
	err_free(e);
	*failed = true;
}

static void judge_all(struct images *all, const struct options *o, bool *found, bool *failed)
{
	for (size_t i = 0; i < all->count; i++) {
		struct image *image = &all->list[i];
		struct verdict *v = &image->verdict;

		if (!image_is_unknown(image)) /* which has been looked at often enough */
			judge(image, o);
		*found |= v->outcome != OUTCOME_NOTHING && v->outcome != OUTCOME_UNKNOWN;
		if (v->text[0] && v->outcome != OUTCOME_NOTHING)
			log_warn("%s: %s", image->target.name, v->text);
		else if (v->text[0])
			log_info("%s: %s", image->target.name, v->text);
		if (v->outcome == OUTCOME_HOPELESS)
			drop(image, failed);
	}
}

/* What cannot be discarded is not asked about again. */
static void drop_all(struct images *all, const size_t *which, size_t count, bool *failed)
{
	for (size_t i = 0; i < count; i++) {
		all->list[which[i]].verdict.outcome = OUTCOME_HOPELESS;
		drop(&all->list[which[i]], failed);
	}
}

/*
 * No other image may be left behind a running host. One that is unknown is not in the way:
 * hibernating retires what is on all targets before, and if that one was not there, it is
 * stale as soon as this host runs, which its fingerprints tell.
 */
static err_t give_up_others(struct images *all, size_t chosen)
{
	for (size_t i = 0; i < all->count; i++) {
		enum outcome outcome = all->list[i].verdict.outcome;

		if (i == chosen || outcome == OUTCOME_NOTHING || outcome == OUTCOME_HOPELESS)
			continue;
		if (outcome == OUTCOME_UNKNOWN)
			log_warn("%s: %s", all->list[i].target.name, all->list[i].verdict.text);
		else
			TRY(give_up(&all->list[i], "another image was chosen"));
	}
	return NULL;
}

/* All that can fail comes before the others are lost; but for what the kernel says to the
 * jump. */
static err_t resume(struct images *all, size_t chosen, const struct options *o)
{
	err_t e;

	TRY(image_load(&all->list[chosen], o));
	e = give_up_others(all, chosen);
	if (!e)
		e = image_jump();
	image_unload();
	return e;
}

/* Also of one that nobody knows: there is nothing that could be written to. */
static void go_on_without(struct image *image)
{
	if (image_is_unknown(image)) {
		image->verdict.outcome = OUTCOME_NOTHING;
		log_warn("%s: this boot goes on without knowing what is there; AN IMAGE ON IT IS "
			 "LOST",
			 image->target.name);
	} else {
		image->verdict.outcome = OUTCOME_HOPELESS;
	}
}

/* This one: resumed, or what a person says. When it comes back, something else can be thought
 * of it. An error: this boot cannot be ended. */
static err_t settle_one(struct images *all, size_t which, const struct options *o)
{
	struct image *image = &all->list[which];
	struct verdict *v = &image->verdict;
	err_t e;

	if (v->outcome != OUTCOME_RESUME) {
		int action = ask_about(image, o);
		bool was_closed = image->closed;

		if (action == ACTION_DISCARD) {
			go_on_without(image);
			return NULL;
		}
		if (action != ACTION_TRY)
			return leave(all, &which, 1, action);
		/* Minutes may have gone by. */
		judge(image, o);
		/* What is in it was not known when it was to be tried. */
		if (was_closed || !v->may_try)
			return NULL;
	}
	if (!image_unlock(image, o))
		return NULL;
	e = resume(all, which, o);
	log_warn("%s: %s", image->target.name, err_text(e));
	verdict_add_fit(&image->commit, e, v);
	v->outcome = OUTCOME_ASK; /* what failed is the way into the writer */
	err_free(e);
	return NULL;
}

err_t choice_make(struct images *all, const struct options *o, bool *found)
{
	size_t which[CONFIG_TARGETS_MAX], count;
	bool failed = false;

	*found = false;
	judge_all(all, o, found, &failed);
	/* Each round ends this boot, or leaves one image less, or one to be asked about. */
	while ((count = undecided(all, which))) {
		size_t chosen = which[0];

		if (count > 1) {
			int action = ask_which(all, which, count, o);

			if (action == ACTION_DISCARD) {
				drop_all(all, which, count, &failed);
				continue;
			}
			if (action < '1' || action > '9')
				return leave(all, which, count, action);
			chosen = which[action - '1'];
		}
		TRY(settle_one(all, chosen, o));
		if (all->list[chosen].verdict.outcome == OUTCOME_HOPELESS) {
			*found = true; /* also where nobody knew of it before */
			drop(&all->list[chosen], &failed);
		}
	}
	return failed ? err_new(ERR_IO, "not all that is there could be discarded") : NULL;
}
