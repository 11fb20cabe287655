/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a boot sees on a disk, and would do: the real slots, verdict and reader.
 */
#ifndef CRASH_BOOT_H
#define CRASH_BOOT_H

#include "disk.h"
#include "image.h"
#include "image/commit.h"
#include "resume/verdict.h"
#include "swap.h"

#include <stdbool.h>

/* Kinds of errors are enum err_kind, or 0 for none. */
struct boot {
	int load;   /* of commit_load, or of finding the target */
	bool found; /* as a boot finds it; otherwise nothing is resumed, whatever the slots say */
	struct commit commit;
	unsigned int image;    /* that the slot that counts is of, or IMAGES_MAX */
	enum outcome verdict;  /* by the slots */
	bool resumes;	       /* by itself */
	bool retries;	       /* with dormouse.retry */
	enum swapheader page0; /* really, whatever reading it gives */
	bool page0_kept;       /* but for its signature */
	bool checked;	       /* it counts as VALID and is not dead: the image was looked at ... */
	int check;	       /* ... and this was found (image_check) */
	uint64_t keys;	       /* bit k: there is a sealed key of image k, wherever it lies */
	bool slot_good[2];     /* the two places, decoded one by one: */
	enum slot_state slot_state[2];
	char words[200]; /* the first error's text */
};

/*
 * memo: an image that was found whole on a disk of the same content is not read
 * once more. Not for disks with unreadable sectors.
 */
void boot_look(const struct disk *d, bool memo, struct boot *out);

#endif
