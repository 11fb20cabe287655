/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Swap areas: the signature in page 0 is part of the commit, and all else in that
 * page stays as mkswap has left it.
 *
 * Planted faults that made it fail: no bit in the slots; no signature before VALID;
 * commit_is_dead always false; the signature not looked at in commit_resuming; a
 * header not restored by commit_retire, or by commit_finish; commit_finish retiring
 * nothing.
 */
#include "commitfixture.h"

#define SWAP   "SWAPSPACE2"
#define MARKED "LINHIB0001"

static void assert_page0(struct fixture *f, const char *signature)
{
	uint8_t page[SWAPHEADER_BYTES];

	assert_int_equal(pread(f->file.fd, page, sizeof(page), 0), sizeof(page));
	assert_memory_equal(page + sizeof(page) - 10, signature, 10);
	for (size_t i = 0; i < sizeof(page) - 10; i++)
		assert_int_equal(page[i], 'h');
}

static void load(struct fixture *f)
{
	assert_ok(commit_load(&f->t, &f->c));
}

static void make_swap(struct fixture *f)
{
	set_page0(f, SWAP);
	make_valid(f);
}

static void test_round(void **state)
{
	struct fixture *f = *state;

	set_page0(f, SWAP);
	begin(f);
	assert_page0(f, SWAP);
	for (int i = 0; i < 2; i++)
		assert_int_equal(peek(f, i).features_incompat, SLOT_INCOMPAT_SWAP);
	assert_ok(commit_valid(&f->t, &f->c, &whole));
	assert_page0(f, MARKED);
	assert_int_equal(f->c.page0, PAGE0_MARKED);
	assert_loaded(f, SLOT_VALID);
	assert_int_equal(f->c.slot.features_incompat, SLOT_INCOMPAT_SWAP);
	assert_ok(commit_check_page0(&f->c));
	assert_ok(commit_resume_failed(&f->t, &f->c, "x"));
	assert_ok(commit_resuming(&f->t, &f->c));
	assert_page0(f, MARKED);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_loaded(f, SLOT_RESUMING);
	assert_page0(f, MARKED);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_page0(f, SWAP);
	assert_int_equal(f->c.page0, PAGE0_SWAP);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_loaded(f, SLOT_RETIRED);
}

/* No other target is given a signature, or loses anything of page 0. */
static void test_no_swap(void **state)
{
	struct fixture *f = *state;

	set_page0(f, "S1SUSPEND.");
	make_valid(f);
	assert_page0(f, "S1SUSPEND.");
	assert_int_equal(peek(f, f->c.place).features_incompat, 0);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_page0(f, "S1SUSPEND.");
}

/* Cut after the signature was written, and before VALID was. */
static void test_finish_writing(void **state)
{
	struct fixture *f = *state;

	set_page0(f, SWAP);
	begin(f);
	set_page0(f, MARKED);
	load(f);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_page0(f, SWAP);
	assert_loaded(f, SLOT_WRITING);
	/* The same, and the next hibernation comes first. */
	set_page0(f, MARKED);
	begin(f);
	assert_page0(f, SWAP);
	/* And a writer that gave up there. */
	set_page0(f, MARKED);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_page0(f, SWAP);
}

/* Retiring, cut after its first slot, and after both. */
static void test_finish_retiring(void **state)
{
	struct fixture *f = *state;
	struct slot valid;
	int place;

	make_swap(f);
	valid = f->c.slot;
	place = f->c.place;
	assert_ok(commit_retire(&f->t, &f->c, "why"));
	set_page0(f, MARKED);
	load(f);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_page0(f, SWAP);
	assert_loaded(f, SLOT_RETIRED);
	poke(f, place, &valid);
	set_page0(f, MARKED);
	load(f);
	assert_int_equal(f->c.slot.state, SLOT_RETIRED);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_page0(f, SWAP);
	assert_int_equal(peek(f, place).state, SLOT_RETIRED);
	assert_string_equal(peek(f, place).reason, "why");
}

/* swapon of another boot: the image is dead, in whatever state. */
static void test_turned_on(void **state)
{
	struct fixture *f = *state;

	for (int resuming = 0; resuming < 2; resuming++) {
		make_swap(f);
		if (resuming)
			assert_ok(commit_resuming(&f->t, &f->c));
		assert_false(commit_is_dead(&f->c));
		set_page0(f, SWAP);
		assert_err(commit_resuming(&f->t, &f->c), ERR_REFUSED);
		load(f);
		assert_true(commit_is_dead(&f->c));
		assert_err(commit_check_page0(&f->c), ERR_REFUSED);
		assert_ok(commit_finish(&f->t, &f->c));
		assert_loaded(f, SLOT_RETIRED);
		assert_page0(f, SWAP);
	}
}

/* And its pages lie where one slot was, or both. */
static void test_turned_on_and_used(void **state)
{
	struct fixture *f = *state;

	make_swap(f);
	set_page0(f, SWAP);
	overwrite(f, !f->c.place);
	load(f);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_foreign(f, !f->c.place);
	assert_int_equal(peek(f, f->c.place).state, SLOT_RETIRED);
	overwrite(f, f->c.place);
	assert_err(commit_load(&f->t, &f->c), ERR_FORMAT);
	begin(f);
	assert_int_equal(f->c.slot.features_incompat, SLOT_INCOMPAT_SWAP);
}

/* mkswap over an image: dead, and nothing is written beside it. */
static void test_made_since(void **state)
{
	struct fixture *f = *state;

	make_valid(f);
	set_page0(f, SWAP);
	load(f);
	assert_true(commit_is_dead(&f->c));
	assert_err(commit_check_page0(&f->c), ERR_REFUSED);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_loaded(f, SLOT_VALID);
}

/* What was a swap area is something else by now: VALID is not written, and page 0
 * not touched. */
static void test_header_gone(void **state)
{
	struct fixture *f = *state;

	set_page0(f, SWAP);
	begin(f);
	set_page0(f, "else......");
	assert_err(commit_valid(&f->t, &f->c, &whole), ERR_REFUSED);
	load(f);
	assert_int_equal(f->c.slot.state, SLOT_WRITING);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_page0(f, "else......");
}

/* Any of the page's sectors may land or not: it is the old one or the new one. */
static void test_torn(void **state)
{
	struct fixture *f = *state;
	uint8_t old[SWAPHEADER_BYTES], new[SWAPHEADER_BYTES];

	make_swap(f);
	assert_int_equal(pread(f->file.fd, new, sizeof(new), 0), sizeof(new));
	memcpy(old, new, sizeof(old));
	swapheader_set(old, SWAPHEADER_SWAP);
	assert_memory_equal(old, new, sizeof(old) - 512);
	assert_int_equal(swapheader_decode(old), SWAPHEADER_SWAP);
	assert_int_equal(swapheader_decode(new), SWAPHEADER_MARKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMMIT_TEST(test_round),	  COMMIT_TEST(test_no_swap),
		COMMIT_TEST(test_finish_writing), COMMIT_TEST(test_finish_retiring),
		COMMIT_TEST(test_turned_on),	  COMMIT_TEST(test_turned_on_and_used),
		COMMIT_TEST(test_made_since),	  COMMIT_TEST(test_header_gone),
		COMMIT_TEST(test_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
