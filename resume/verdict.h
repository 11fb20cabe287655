/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a boot does with what it finds on one target. Decides only; nothing is read
 * or written here. */
#ifndef RESUME_VERDICT_H
#define RESUME_VERDICT_H

#include "base/err.h"
#include "config/config.h"
#include "image/commit.h"

#include <stdbool.h>

#define VERDICT_TEXT_MAX 768u

/* How often an image is rebooted for without a person. */
#define VERDICT_REBOOTS_MAX 3u

/*
 * The reason in an image begins with this when the boot that wrote it went no
 * further, but powered off or rebooted: then the next one may resume it unasked.
 */
#define VERDICT_AGAIN "to be tried again: "

enum outcome {
	OUTCOME_NOTHING,  /* no image: boot on */
	OUTCOME_RESUME,	  /* unasked */
	OUTCOME_ASK,	  /* there is an image, perhaps, and a person may know better */
	OUTCOME_DAMAGED,  /* no boot can ever resume it, but more than that can be done with it: a
			   * person is asked before it is retired, if there is one */
	OUTCOME_UNKNOWN,  /* nobody knows whether there is one: a person is asked, too */
	OUTCOME_HOPELESS, /* retire it, boot on */
};

struct verdict {
	enum outcome outcome;
	bool may_try;		     /* if asked: it can be resumed now, on demand */
	bool trusts_prints;	     /* but only because every fingerprint still matches */
	bool again;		     /* another boot may do better */
	bool person;		     /* somebody was there just now: the question waits for them */
	bool counted;		     /* the image can keep a count of tries */
	bool clean;		     /* were it not for this boot, it would be resumed unasked */
	char text[VERDICT_TEXT_MAX]; /* why, for people; empty: nothing to say */
};

/* What an error of fit_check means for the image. */
enum fit {
	FIT_OK,
	FIT_LATER,  /* another boot may do: initramfs, firmware, a disk that is missing */
	FIT_NEVER,  /* damaged, or disks were written to since */
	FIT_FORGED, /* not made by whom it should be: no boot will resume it, but it is not
		     * for us to throw it away */
};

enum fit verdict_fit(err_t e);

/* By the slots alone. RESUME, and ASK with may_try, hold only if fit_check agrees. */
void verdict_of_slots(const struct commit *c, struct verdict *out);

/*
 * Of a LUKS partition in which an image is marked and that nobody could open, so that
 * nothing else is known; e is borrowed. ERR_FORMAT: there is none after all. person: somebody
 * was there.
 */
void verdict_of_closed(err_t e, bool person, struct verdict *out);

/*
 * Of a target that cannot be read, or told from another one; e is borrowed. ERR_FORMAT,
 * ERR_CORRUPT, ERR_UNSUPPORTED: there is nothing to resume, as is known now.
 */
void verdict_of_unknown(err_t e, struct verdict *out);

/* And what fit_check said; e is borrowed, and may be NULL. */
void verdict_add_fit(const struct commit *c, err_t e, struct verdict *v);

/* It was damaged by the first look, and whole by the second; first is borrowed. */
void verdict_add_doubt(err_t first, struct verdict *v);

/* Its key could not be had, which another try, with another passphrase, may do; e is
 * borrowed. */
void verdict_add_locked(err_t e, struct verdict *v);

/* Nor could it be had for another reason, which no passphrase mends. That its copy of the
 * keyslots is damaged says nothing of the image, which may be saved with others; e is
 * borrowed. */
void verdict_add_unopened(const struct commit *c, err_t e, struct verdict *v);

/* The user has said dormouse.retry: resume what failed before. What only
 * fingerprints speak for is still asked about. */
void verdict_retry(struct verdict *v);

/*
 * Nobody answers: does the question wait for a person all the same, because
 * another reboot would change nothing, or cannot be counted, or there were enough?
 */
bool verdict_waits(const struct verdict *v, const struct commit *c, enum config_resume unanswered);

/*
 * What is done when nobody answers. Where no boot can resume it, or nobody can know that an
 * image is there and none can count the boots, this boot goes on: it does no more harm than
 * the next one would, and a machine without a person must come up.
 */
enum config_resume verdict_unanswered(const struct verdict *v, enum config_resume unanswered);

/* What to write into the image as its reason before a reboot or power-off. */
void verdict_reason(const struct verdict *v, char out[SLOT_REASON_MAX]);

/*
 * noresume: this boot goes on beside the image and writes to its disks. Is it to be
 * marked (commit_resume_failed), so that no later boot resumes it unasked?
 */
bool verdict_marks(const struct commit *c);

#endif
