/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order of durability, all of it: every write of a superblock slot is here,
 * with the flushes around it (docs/image-format.md, "Superblock"; the rules are
 * docs/crash-safety.md's). Slots are read and written past the page cache only.
 *
 * Common to all that write:
 *  - Both slots are read from the medium first: the generation goes on from what
 *    is there, and what is there must still be this image (c->slot.nonce), else
 *    ERR_REFUSED and nothing is written. A damaged place, or one with an older image that
 *    does not count any more, may be written as long as the other one carries the nonce.
 *  - The older place is written first: a torn write never harms the slot that
 *    counts before its successor is whole.
 *  - On success *c is what lies on the medium now. On an error *c is unchanged,
 *    but a slot may have been written.
 */
#ifndef IMAGE_COMMIT_H
#define IMAGE_COMMIT_H

#include "base/err.h"
#include "formats/slot.h"
#include "target/target.h"

#include <stdbool.h>

/*
 * What page 0 of the target is. Of a swap area its signature is part of the commit. Of
 * reserved slots of one in use it is the locator's sector: PAGE0_SWAP when it is as it was
 * without an image, PAGE0_MARKED when it is the locator of this one.
 */
enum commit_page0 {
	PAGE0_OTHER,  /* anything but these */
	PAGE0_SWAP,   /* a swap area that can be turned on */
	PAGE0_MARKED, /* one that holds an image */
	PAGE0_UNREADABLE,
};

/* What the two slots say, together. */
struct commit {
	struct slot slot; /* the newer good one; state EMPTY when neither is good */
	int place;	  /* 0: slot A is the newer, 1: slot B */
	bool twin_good;	  /* the other one is readable, undamaged, of the same image, and older;
			   * or no slot was ever written. A VALID image without it: ask */
	bool twin_other;  /* the other one is good, and of an older image that was followed by this
			   * one: it was being begun */
	bool unreadable;  /* a place could not be read: what it says is not known. Set by
			   * commit_load only, also on errors */
	bool holds_image; /* a good slot, if only the older one, says VALID or RESUMING, as a
			   * retiring that was cut short leaves it: commit_begin refuses */
	enum commit_page0 page0;
};

/*
 * Read both slots. One good slot suffices, unless the other is of a newer
 * version. ERR_FORMAT: no superblock in either place (a fresh target).
 * ERR_UNSUPPORTED, ERR_CORRUPT: there is something, and it cannot be used.
 * ERR_IO: cannot be read. On every error *out is an EMPTY state of generation 0,
 * to begin from.
 */
err_t commit_load(const struct target *t, struct commit *out) ERR_CHECK;

/*
 * Does the slot say VALID or RESUMING, and page 0 that it does not count? The swap
 * area was turned on by another boot, which rewrites the signature; or made since.
 */
bool commit_is_dead(const struct commit *c);

/* May it be resumed, for all that page 0 says? ERR_REFUSED: it is dead; ERR_IO: nobody
 * knows. */
err_t commit_check_page0(const struct commit *c) ERR_CHECK;

/*
 * Before anybody turns swap on: finish what was cut short, so that a swap area can
 * be turned on wherever there is no image in it, and no sealed key is left of one that
 * was retired. Retires a dead image, and one whose retiring was not done. Writes nothing
 * where nothing is to be done, and to targets that are no swap areas nothing but zeros
 * over a sealed key. c: as commit_load has left it, without an error; where there is a
 * locator, also after ERR_FORMAT: then both slots have been written over since.
 */
err_t commit_finish(const struct target *t, struct commit *c) ERR_CHECK;

/*
 * Begin a new image: WRITING with this nonce into both slots, each flushed.
 * *c is output only. ERR_REFUSED when the target holds an image (VALID or
 * RESUMING in a good slot): retire it first. ERR_UNSUPPORTED when a newer version of
 * the project was there, ERR_IO when a slot or page 0 cannot be read. Damaged slots,
 * and whatever else is there, are overwritten. A swap header in page 0 makes it an
 * image in a swap area (SLOT_INCOMPAT_SWAP); a locator, in reserved slots of one
 * (SLOT_INCOMPAT_LOCATED). The nonce is that of a located target's map, else ERR_INVALID.
 */
err_t commit_begin(const struct target *t, struct commit *c, const uint8_t nonce[NONCE_BYTES],
		   uint64_t created) ERR_CHECK;

/*
 * The image is whole: flush what it refers to; mark page 0 of a swap area, flush;
 * write VALID, flush, read the slot back and compare. slot: regions, counts, features and
 * sealing to put in; state, nonce, generation and time are set here. Of a sealed image
 * nonce, time and features must be those of the medium already, else ERR_INVALID: its tag
 * is over them. Both slots on the medium must still
 * be WRITING with this nonce (ERR_REFUSED otherwise). After any error VALID may
 * be on the medium all the same: commit_retire before the host runs again.
 */
err_t commit_valid(const struct target *t, struct commit *c, const struct slot *slot) ERR_CHECK;

/*
 * Its memory is about to be given control: RESUMING into both slots, each
 * flushed. The newer slot must be VALID, or RESUMING (a second try, which the
 * caller has decided on).
 */
err_t commit_resuming(const struct target *t, struct commit *c) ERR_CHECK;

/*
 * Used up or given up: RETIRED with this reason into both slots, each flushed,
 * both read back. When the first cannot be written the second is tried all the
 * same, and the error returned. A place that holds something that is not a
 * superblock at all is left alone (the swap area may be in use by now), the
 * other one is retired. Then the sealed key is overwritten, and page 0 of a swap area
 * restored; when only one of these fails, the image is retired all the same. Repeating it
 * is harmless.
 */
err_t commit_retire(const struct target *t, struct commit *c, const char *reason) ERR_CHECK;

/*
 * When that has failed: is there, all the same, nothing that a boot would resume? It may have
 * got as far as that, or not even WRITING was written. What cannot be read, or may not be on
 * the medium yet, does not count.
 */
bool commit_nothing_to_resume(const struct target *t);

/*
 * Restoring gave up, nothing was lost: the image is VALID, with the reason and
 * one more in failed_resumes, by which the next boot asks. Also when RESUMING
 * was written already: only who knows that the jump was not made may call it.
 * One slot is written; ERR_REFUSED when its place holds something that is not a
 * superblock at all. A damaged one is replaced: the image can then be resumed by
 * whoever asks for it.
 */
err_t commit_resume_failed(const struct target *t, struct commit *c, const char *reason) ERR_CHECK;

#endif
