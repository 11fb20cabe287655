/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Outline: images are judged; hopeless ones are retired; more than one left: which?
 * One that needs it is asked about. Every answer either ends this boot (resumed,
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

/*
 * The question's answer. waits: without one, nothing is done until a person comes;
 * where none ever can, the machine is switched off, which loses nothing.
 */
static int answer(struct question *q, const struct options *o, bool waits)
{
	int action = action_of(o->unanswered), key = ASK_NOBODY;
	char unanswered[128];

	if (waits)
		snprintf(unanswered, sizeof(unanswered), "This waits for an answer.");
	else
		snprintf(unanswered, sizeof(unanswered), "Without an answer in %u s: %s.",
			 o->answer_seconds, action_name(action));
	q->unanswered = unanswered;
	if (waits || o->answer_seconds)
		key = ask_console(q, waits ? ASK_NO_LIMIT : (int)o->answer_seconds);
	if (key > 0) {
		log_info("answered: %s", action_name(key));
		return key;
	}
	if (waits)
		action = ACTION_POWEROFF;
	log_info("%s: %s", key == ASK_NO_CONSOLE ? "there is no console to ask on" : "not answered",
		 action_name(action));
	return action;
}

static int ask_about(const struct image *image, const struct options *o)
{
	const struct verdict *v = &image->verdict;
	struct question q = {.count = 0};
	char text[QUESTION_BYTES];

	snprintf(text, sizeof(text), "Dormouse: the image on %s is not resumed: %s\n%s",
		 image->target.name, v->text, v->again ? "Another boot often helps.\n" : "");
	q.text = text;
	if (v->may_try)
		ask_add(&q, ACTION_TRY, action_name(ACTION_TRY));
	ask_add(&q, ACTION_REBOOT, action_name(ACTION_REBOOT));
	ask_add(&q, ACTION_DISCARD, action_name(ACTION_DISCARD));
	ask_add(&q, ACTION_POWEROFF, action_name(ACTION_POWEROFF));
	return answer(&q, o, verdict_waits(v, &image->commit, o->unanswered));
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
	return answer(&q, o, o->unanswered == CONFIG_RESUME_REBOOT);
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

/* Those that are left to decide on. Each with something to say says it. */
static size_t open_ones(const struct images *all, size_t *which)
{
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].verdict.outcome == OUTCOME_RESUME ||
		    all->list[i].verdict.outcome == OUTCOME_ASK)
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

		judge(image, o);
		*found |= v->outcome != OUTCOME_NOTHING;
		if (v->text[0] && v->outcome != OUTCOME_NOTHING)
			log_warn("%s: %s", image->target.name, v->text);
		else if (v->text[0])
			log_info("%s: %s", image->target.name, v->text);
		if (v->outcome == OUTCOME_HOPELESS)
			drop(image, failed);
	}
}

static void drop_all(struct images *all, const size_t *which, size_t count, bool *failed)
{
	for (size_t i = 0; i < count; i++)
		drop(&all->list[which[i]], failed);
}

/* No other image may be left behind a running host. */
static err_t give_up_others(struct images *all, size_t chosen)
{
	size_t which[CONFIG_TARGETS_MAX], count = open_ones(all, which);

	for (size_t i = 0; i < count; i++)
		if (which[i] != chosen)
			TRY(give_up(&all->list[which[i]], "another image was chosen"));
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

/* This one: resumed, or what a person says. When it comes back, something else can be thought
 * of it. An error: this boot cannot be ended. */
static err_t settle_one(struct images *all, size_t which, const struct options *o)
{
	struct image *image = &all->list[which];
	struct verdict *v = &image->verdict;
	err_t e;

	if (v->outcome == OUTCOME_ASK) {
		int action = ask_about(image, o);
		bool was_closed = image->closed;

		if (action == ACTION_DISCARD) {
			v->outcome = OUTCOME_HOPELESS;
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
	while ((count = open_ones(all, which))) {
		size_t chosen = which[0];

		if (count > 1) {
			int action = ask_which(all, which, count, o);

			if (action == ACTION_DISCARD) {
				drop_all(all, which, count, &failed);
				break;
			}
			if (action < '1' || action > '9')
				return leave(all, which, count, action);
			chosen = which[action - '1'];
		}
		TRY(settle_one(all, chosen, o));
		if (all->list[chosen].verdict.outcome == OUTCOME_HOPELESS)
			drop(&all->list[chosen], &failed);
	}
	return failed ? err_new(ERR_IO, "not all that is there could be discarded") : NULL;
}
