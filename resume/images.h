/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the boot finds on its targets. */
#ifndef RESUME_IMAGES_H
#define RESUME_IMAGES_H

#include "base/err.h"
#include "config/pins.h"
#include "formats/hostinfo.h"
#include "image/commit.h"
#include "jump/writer_files.h"
#include "resume/luksimage.h"
#include "resume/options.h"
#include "resume/verdict.h"
#include "target/target.h"

#include <stddef.h>

/* One target whose superblock could be read, or one that is closed. */
struct image {
	struct target target;
	unsigned int number; /* of the target, among the options' */
	bool closed; /* nobody has opened it: of the target only the name is known, of the commit
		      * nothing. An image is marked in the LUKS partition; or, without luks, it
		      * cannot be read or told from another, and nobody knows what is on it */
	const struct pin *pin;	    /* it was found by; NULL: by its name */
	char disk[TARGET_NAME_MAX]; /* if so: where */
	struct luksimage *luks;	    /* it is in a LUKS partition; or NULL */
	struct commit commit;
	struct verdict verdict;
	struct hostinfo host;		 /* if has_host */
	struct writer_files writer;	 /* if the outcome is RESUME, or ASK with may_try */
	struct image_unlocked *unlocked; /* a sealed one's keys, in locked memory; or NULL */
	bool has_host;
};

struct images {
	struct image list[CONFIG_TARGETS_MAX];
	size_t count;
	bool failed;  /* a target was not there: said in the log */
	bool refused; /* one holds something that cannot be used: the same */
};

/*
 * Wait for the targets, open them and read their superblocks. One that does not
 * appear, or has what cannot be used, is told and left out. One that is there, and does not
 * let itself be read, is closed, its outcome UNKNOWN. A LUKS partition in which an
 * image is marked stays closed, too: nobody is asked for a passphrase. o is kept.
 */
void images_open(struct images *all, const struct options *o);
void images_close(struct images *all);

/* A closed one, with a passphrase that somebody is asked for, or by looking again. false: it
 * still is closed, and the verdict tells why; or there is no image, which the verdict tells,
 * too. */
bool image_open(struct image *image, const struct options *o);

/* Is it not even known whether there is one? */
bool image_is_unknown(const struct image *image);

/* The verdict on one, by its slots and by whether it fits here and now, as far as that can
 * be known without its key. A closed one is opened first. What looks damaged is looked at
 * twice. */
void image_judge(struct image *image, const struct options *o);

/*
 * RETIRED with this reason: no boot resumes it any more. An error only when one
 * might; what else failed is logged. Of a closed one that is told in the LUKS header, and who
 * opens it next retires it. ERR_REFUSED: it is unknown.
 */
err_t image_give_up(struct image *image, const char *reason) ERR_CHECK;

/*
 * Write the verdict's reason and one more failure into an image that can keep them,
 * before a reboot or power-off; logs what went wrong. false: it could not.
 */
bool image_count(struct image *image);

/* This boot goes on without it, as noresume says: see that no later one takes it unasked. */
void image_mark(struct image *image);

/*
 * Before it is resumed: the key of a sealed image, for which a person may be asked, and
 * all checks again, now that what the image says of itself can be believed. false: not to
 * be had, or it is not what it says; the verdict tells why.
 */
bool image_unlock(struct image *image, const struct options *o);

/*
 * Load the writer for it: all that can fail before the jump, except what the kernel says to
 * that. It is VALID then, and so it is after an error, after which nothing stays loaded. Its key
 * is gone from here: another try begins with image_unlock. image_unload: it does not come to the
 * jump, or that was not made.
 */
err_t image_load(struct image *image, const struct options *o) ERR_CHECK;
void image_unload(void);

/* Go there. Returns only with an error; the image is VALID as before. */
err_t image_jump(void) ERR_CHECK;

#endif
