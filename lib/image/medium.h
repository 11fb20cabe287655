/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two slots, and page 0 or the locator, as the medium has them: what commit.c begins each step
 * with. */
#ifndef IMAGE_MEDIUM_H
#define IMAGE_MEDIUM_H

#include "base/err.h"
#include "formats/slot.h"
#include "formats/swapheader.h"
#include "target/target.h"

#include <stdbool.h>

struct medium {
	struct slot slot[2];
	bool good[2];
	bool foreign[2];  /* readable, and no superblock of this target */
	err_t error[2];	  /* why it is not good; owned */
	uint64_t highest; /* generation, of whatever superblock */
	enum swapheader page0;
	err_t page0_error; /* it cannot be read; owned */
};

void medium_deinit(struct medium *m);

#define CLEANUP_MEDIUM __attribute__((cleanup(medium_deinit)))

uint64_t medium_offset(int place);
const char *medium_name(int place);

/* Read it all; what is wrong with one place is kept in *m. */
err_t medium_read(const struct target *t, struct medium *m) ERR_CHECK;

/* Take over the error of the first slot that has one of this kind, or NULL. */
err_t medium_take_error(struct medium *m, enum err_kind kind);

/*
 * Which place counts? A newer version's slot makes the other one worthless,
 * since nobody knows which came later.
 */
err_t medium_newest(struct medium *m, int *newest) ERR_CHECK;

/*
 * What every write but the first of an image begins with: the medium as it is
 * now, where the slot that counts must be of this image. The other place may have been left
 * by an older one that does not count any more, before this one was begun in it: then it is
 * not good. ERR_REFUSED if it holds another image.
 */
err_t medium_of_image(const struct target *t, const uint8_t nonce[NONCE_BYTES], struct medium *m,
		      int *newest) ERR_CHECK;

bool medium_same_nonce(const struct slot *slot, const uint8_t nonce[NONCE_BYTES]);

#endif
