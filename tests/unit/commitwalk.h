/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The walks that every mark must stand which speaks for an image beside its slots: the
 * signature of an idle swap area, the locator of one in use. */
#ifndef COMMITWALK_H
#define COMMITWALK_H

#include "commitfixture.h"

/* A kind of mark. */
struct mark {
	uint64_t feature; /* its bit in the slots */
	bool located;	  /* without it, no boot finds the target */

	/* An area without a mark; slots do not count. */
	void (*make_area)(struct fixture *f);
	/* What comes before commit_begin with this nonce. */
	void (*lay)(struct fixture *f, const uint8_t nonce[NONCE_BYTES]);
	/* As a boot comes to the target. */
	err_t (*boot)(struct fixture *f);
	/* The mark of the image that was begun, behind the back of the code under test. */
	void (*put)(struct fixture *f);
	/* Is it there, or what was there before; and is all else as it was? */
	void (*check)(struct fixture *f, bool marked);
};

static inline void load(struct fixture *f)
{
	assert_ok(commit_load(&f->t, &f->c));
}

static inline void read_page0(struct fixture *f, uint8_t page[SWAPHEADER_BYTES])
{
	assert_int_equal(pread(f->file.fd, page, SWAPHEADER_BYTES, 0), SWAPHEADER_BYTES);
}

static inline void walk_begin(struct fixture *f, const struct mark *m,
			      const uint8_t nonce[NONCE_BYTES])
{
	m->lay(f, nonce);
	assert_ok(commit_begin(&f->t, &f->c, nonce, 1700000000));
}

static inline void walk_valid(struct fixture *f, const struct mark *m)
{
	m->make_area(f);
	walk_begin(f, m, nonce_a);
	assert_ok(commit_valid(&f->t, &f->c, &whole));
}

/* From begun to retired: the mark comes and goes with the image. */
static inline void walk_round(struct fixture *f, const struct mark *m)
{
	m->make_area(f);
	walk_begin(f, m, nonce_a);
	m->check(f, false);
	for (int i = 0; i < 2; i++)
		assert_int_equal(peek(f, i).features_incompat, m->feature);
	assert_ok(commit_valid(&f->t, &f->c, &whole));
	m->check(f, true);
	assert_int_equal(f->c.page0, PAGE0_MARKED);
	assert_ok(m->boot(f));
	assert_loaded(f, SLOT_VALID);
	assert_int_equal(f->c.slot.features_incompat, m->feature);
	assert_ok(commit_check_page0(&f->c));
	assert_ok(commit_finish(&f->t, &f->c));
	assert_loaded(f, SLOT_VALID);
	assert_ok(commit_resume_failed(&f->t, &f->c, "x"));
	assert_ok(commit_resuming(&f->t, &f->c));
	m->check(f, true);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_loaded(f, SLOT_RESUMING);
	m->check(f, true);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	m->check(f, false);
	assert_int_equal(f->c.page0, PAGE0_SWAP);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_loaded(f, SLOT_RETIRED);
	if (m->located)
		assert_err(m->boot(f), ERR_FORMAT);
}

/* Cut after the mark was written, and before VALID was. */
static inline void walk_finish_writing(struct fixture *f, const struct mark *m)
{
	m->make_area(f);
	walk_begin(f, m, nonce_a);
	m->put(f);
	assert_ok(m->boot(f));
	load(f);
	assert_ok(commit_finish(&f->t, &f->c));
	m->check(f, false);
	assert_loaded(f, SLOT_WRITING);
	/* The same, and the next hibernation comes first. */
	m->put(f);
	walk_begin(f, m, nonce_b);
	m->check(f, false);
	/* And a writer that gave up there. */
	m->put(f);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	m->check(f, false);
}

/* Retiring, cut after its first slot, and after both. */
static inline void walk_finish_retiring(struct fixture *f, const struct mark *m)
{
	struct slot valid;
	int place;

	walk_valid(f, m);
	valid = f->c.slot;
	place = f->c.place;
	assert_ok(commit_retire(&f->t, &f->c, "why"));
	for (int both = 0; both < 2; both++) {
		if (!both)
			poke(f, place, &valid);
		m->put(f);
		assert_ok(m->boot(f));
		load(f);
		assert_int_equal(f->c.slot.state, SLOT_RETIRED);
		assert_ok(commit_finish(&f->t, &f->c));
		m->check(f, false);
		assert_loaded(f, SLOT_RETIRED);
		assert_string_equal(peek(f, place).reason, "why");
	}
}

/* Somebody turned the area on, or made it anew (change): the image is dead in whatever
 * state, and retired; page 0 is theirs. */
static inline void walk_turned_on(struct fixture *f, const struct mark *m, bool resuming,
				  void (*change)(struct fixture *f))
{
	uint8_t theirs[SWAPHEADER_BYTES], page[SWAPHEADER_BYTES];

	walk_valid(f, m);
	if (resuming)
		assert_ok(commit_resuming(&f->t, &f->c));
	assert_false(commit_is_dead(&f->c));
	change(f);
	read_page0(f, theirs);
	assert_err(commit_resuming(&f->t, &f->c), ERR_REFUSED);
	load(f);
	assert_true(commit_is_dead(&f->c));
	assert_err(commit_check_page0(&f->c), ERR_REFUSED);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_loaded(f, SLOT_RETIRED);
	read_page0(f, page);
	assert_memory_equal(page, theirs, sizeof(page));
}

/* Any of the page's sectors may land or not: only the last one is another with the mark. */
static inline void walk_torn(struct fixture *f, const struct mark *m)
{
	uint8_t old[SWAPHEADER_BYTES], new[SWAPHEADER_BYTES];

	m->make_area(f);
	walk_begin(f, m, nonce_a);
	read_page0(f, old);
	assert_ok(commit_valid(&f->t, &f->c, &whole));
	read_page0(f, new);
	assert_memory_equal(old, new, sizeof(old) - TARGET_SECTOR_BYTES);
	assert_memory_not_equal(old, new, sizeof(old));
}

#endif
