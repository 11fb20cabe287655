/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/verdict.h"

#include "base/text.h"
#include "memory/memmap.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum fit verdict_fit(err_t e)
{
	if (!e)
		return FIT_OK;
	if (err_kind(e) == ERR_AUTH)
		return FIT_FORGED;
	return err_kind(e) == ERR_CORRUPT ? FIT_NEVER : FIT_LATER;
}

static bool to_be_tried_again(const struct slot *slot)
{
	return strstr(slot->reason, VERDICT_AGAIN) == slot->reason;
}

static void say(struct verdict *v, const char *text)
{
	snprintf(v->text, sizeof(v->text), "%s", text);
}

static void of_writing(const struct commit *c, struct verdict *v)
{
	if (c->unreadable) {
		v->outcome = OUTCOME_ASK;
		v->again = true;
		say(v, "one of its two superblocks cannot be read; the other one says that an "
		       "image was being written. It may be whole");
	} else if (!c->twin_good && (!c->twin_other || c->holds_image)) {
		v->outcome = OUTCOME_HOPELESS;
		say(v, "hibernation was interrupted, or a superblock is damaged: nothing can be "
		       "resumed");
	} else {
		say(v, "hibernation was interrupted, nothing to resume");
	}
}

static void of_valid(const struct commit *c, struct verdict *v)
{
	char reason[SLOT_REASON_MAX];

	v->counted = true;
	if (!c->twin_good) {
		/* It may have been the newer, and have said RESUMING or RETIRED. */
		v->outcome = OUTCOME_ASK;
		v->may_try = v->trusts_prints = true;
		v->again = c->unreadable;
		say(v, c->unreadable
			       ? "there is an image, but one of its two superblocks cannot be "
				 "read: whether its memory was given control since cannot be known"
			       : "there is an image, but one of its two superblocks is damaged: "
				 "whether its memory was given control since cannot be known");
	} else if (c->slot.failed_resumes && !to_be_tried_again(&c->slot)) {
		v->outcome = OUTCOME_ASK;
		v->may_try = true;
		text_printable(reason, sizeof(reason), c->slot.reason);
		snprintf(v->text, sizeof(v->text),
			 "it was not resumed at an earlier boot (%u times), the last time because: "
			 "%s",
			 c->slot.failed_resumes, reason);
	} else {
		v->outcome = OUTCOME_RESUME;
		v->may_try = v->clean = true;
	}
}

/* On a swap area its signature must speak for the image too. */
static void add_page0(const struct commit *c, struct verdict *v)
{
	err_t e = slot_holds_image(&c->slot) ? commit_check_page0(c) : NULL;

	if (!e)
		return;
	v->outcome = commit_is_dead(c) ? OUTCOME_HOPELESS : OUTCOME_ASK;
	v->again = v->outcome == OUTCOME_ASK;
	v->may_try = false;
	say(v, err_text(e));
	err_free(e);
}

static void of_slots(const struct commit *c, struct verdict *out)
{
	switch (c->slot.state) {
	case SLOT_EMPTY:
	case SLOT_RETIRED:
		break;
	case SLOT_WRITING:
		of_writing(c, out);
		break;
	case SLOT_RESUMING:
		out->outcome = OUTCOME_ASK;
		out->may_try = out->trusts_prints = true;
		say(out, "the image was being resumed already: its memory may have been given "
			 "control, for a moment");
		break;
	case SLOT_VALID:
		of_valid(c, out);
		break;
	}
}

void verdict_of_slots(const struct commit *c, struct verdict *out)
{
	*out = (struct verdict){.outcome = OUTCOME_NOTHING};
	of_slots(c, out);
	add_page0(c, out);
}

void verdict_of_closed(err_t e, bool person, struct verdict *out)
{
	*out = (struct verdict){.outcome = OUTCOME_NOTHING};
	if (err_kind(e) == ERR_FORMAT)
		return;
	out->outcome = OUTCOME_ASK;
	/* Another passphrase may do. */
	out->may_try = true;
	out->person = person;
	say(out, err_text(e));
}

void verdict_of_unknown(err_t e, struct verdict *out)
{
	*out = (struct verdict){.outcome = OUTCOME_NOTHING};
	if (err_kind(e) == ERR_FORMAT)
		return;
	say(out, err_text(e));
	if (err_kind(e) == ERR_CORRUPT || err_kind(e) == ERR_UNSUPPORTED)
		return;
	out->outcome = OUTCOME_UNKNOWN;
	out->again = true;
}

void verdict_add_fit(const struct commit *c, err_t e, struct verdict *v)
{
	const char *again;
	size_t n;

	switch (verdict_fit(e)) {
	case FIT_OK:
		return;
	case FIT_NEVER:
		v->outcome = OUTCOME_DAMAGED;
		v->again = false;
		break;
	case FIT_LATER:
		v->outcome = OUTCOME_ASK;
		v->again = true;
		break;
	case FIT_FORGED:
		v->outcome = OUTCOME_ASK;
		v->again = false;
		break;
	}
	v->may_try = false;
	again = memmap_again(err_text(e), c->slot.reason);
	n = (size_t)snprintf(v->text, sizeof(v->text), "%s%s%s", err_text(e), *again ? "; " : "",
			     again);
	if (!v->clean && c->slot.failed_resumes && n < sizeof(v->text)) {
		char reason[SLOT_REASON_MAX];

		text_printable(reason, sizeof(reason), c->slot.reason);
		snprintf(v->text + n, sizeof(v->text) - n, "; and at an earlier boot: %s", reason);
	}
}

void verdict_add_doubt(err_t first, struct verdict *v)
{
	v->outcome = OUTCOME_ASK;
	v->again = true;
	snprintf(v->text, sizeof(v->text),
		 "it was read twice, and only the second time it was whole; the first time: %s. "
		 "The disk, its cable or this machine's memory may be failing",
		 err_text(first));
}

void verdict_add_locked(err_t e, struct verdict *v)
{
	v->outcome = OUTCOME_ASK;
	v->again = false;
	say(v, err_text(e));
}

void verdict_add_unopened(const struct commit *c, err_t e, struct verdict *v)
{
	verdict_add_fit(c, e, v);
	if (v->outcome != OUTCOME_DAMAGED)
		return;
	v->outcome = OUTCOME_ASK;
	v->again = false; /* what is read wrongly comes again wrongly */
}

void verdict_retry(struct verdict *v)
{
	if (v->outcome == OUTCOME_ASK && v->may_try && !v->trusts_prints)
		v->outcome = OUTCOME_RESUME;
}

enum config_resume verdict_unanswered(const struct verdict *v, enum config_resume unanswered)
{
	bool goes_on = v->outcome == OUTCOME_DAMAGED || v->outcome == OUTCOME_UNKNOWN;

	return goes_on && unanswered == CONFIG_RESUME_REBOOT ? CONFIG_RESUME_DISCARD : unanswered;
}

bool verdict_waits(const struct verdict *v, const struct commit *c, enum config_resume unanswered)
{
	if (v->person)
		return true;
	return verdict_unanswered(v, unanswered) == CONFIG_RESUME_REBOOT &&
	       (!v->again || !v->counted || c->slot.failed_resumes >= VERDICT_REBOOTS_MAX);
}

void verdict_reason(const struct verdict *v, char out[SLOT_REASON_MAX])
{
	snprintf(out, SLOT_REASON_MAX, "%s%s", v->clean ? VERDICT_AGAIN : "", v->text);
}

bool verdict_marks(const struct commit *c)
{
	/* Also beside a damaged twin: if it only could not be read, it may be
	 * read again by the next boot. */
	return c->slot.state == SLOT_VALID &&
	       (!c->slot.failed_resumes || to_be_tried_again(&c->slot));
}
