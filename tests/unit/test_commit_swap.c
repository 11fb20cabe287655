/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Swap areas: the signature in page 0 is part of the commit, and all else in that
 * page stays as mkswap has left it.
 *
 * Planted faults that made it fail: no bit in the slots; no signature before VALID;
 * commit_is_dead always false; the signature not looked at in commit_resuming; a
 * header not restored by commit_retire, or by commit_finish; commit_finish retiring
 * nothing; what swapon has left of a locator not zeroed by commit_begin, or only when VALID is
 * written.
 */
#include "commitwalk.h"

#include "formats/locator.h"

#define SWAP   "SWAPSPACE2"
#define MARKED "LINHIB0001"

static void check_page0(struct fixture *f, const char *signature)
{
	uint8_t page[SWAPHEADER_BYTES];

	read_page0(f, page);
	assert_memory_equal(page + sizeof(page) - 10, signature, 10);
	for (size_t i = 0; i < sizeof(page) - 10; i++)
		assert_int_equal(page[i], 'h');
}

static void make_area(struct fixture *f)
{
	set_page0(f, SWAP);
}

static void lay(struct fixture *f, const uint8_t nonce[NONCE_BYTES])
{
	(void)f, (void)nonce;
}

static err_t boot(struct fixture *f)
{
	target_close(&f->t);
	return target_open(&f->t, f->file.path, true, false);
}

static void put_mark(struct fixture *f)
{
	set_page0(f, MARKED);
}

static void check_mark(struct fixture *f, bool marked)
{
	check_page0(f, marked ? MARKED : SWAP);
}

static const struct mark signature = {
	.feature = SLOT_INCOMPAT_SWAP,
	.make_area = make_area,
	.lay = lay,
	.boot = boot,
	.put = put_mark,
	.check = check_mark,
};

static void test_round(void **state)
{
	walk_round(*state, &signature);
}

/* No other target is given a signature, or loses anything of page 0. */
static void test_no_swap(void **state)
{
	struct fixture *f = *state;

	set_page0(f, "S1SUSPEND.");
	make_valid(f);
	check_page0(f, "S1SUSPEND.");
	assert_int_equal(peek(f, f->c.place).features_incompat, 0);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	check_page0(f, "S1SUSPEND.");
}

static void test_finish_writing(void **state)
{
	walk_finish_writing(*state, &signature);
}

static void test_finish_retiring(void **state)
{
	walk_finish_retiring(*state, &signature);
}

static void test_turned_on(void **state)
{
	for (int resuming = 0; resuming < 2; resuming++)
		walk_turned_on(*state, &signature, resuming, make_area);
}

/* And its pages lie where one slot was, or both. */
static void test_turned_on_and_used(void **state)
{
	struct fixture *f = *state;

	walk_valid(f, &signature);
	make_area(f);
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
	check_page0(f, "else......");
}

static void test_torn(void **state)
{
	struct fixture *f = *state;
	uint8_t page[SWAPHEADER_BYTES];

	walk_torn(f, &signature);
	read_page0(f, page);
	assert_int_equal(swapheader_decode(page), SWAPHEADER_MARKED);
}

/* As swapon has left the area, while an image lay in its slots. */
static void leave_locator(struct fixture *f, const char *end)
{
	const struct locator l = {.nonce = "somebody else's", .map = 20480};
	uint8_t sector[LOCATOR_BYTES];

	locator_encode(&l, sector);
	memcpy(sector + LOCATOR_BYTES - 10, end, 10);
	assert_int_equal(pwrite(f->file.fd, sector, sizeof(sector), LOCATOR_AT), LOCATOR_BYTES);
}

/* With LINHIB0001 it would be a locator again, and the image dead. */
static void test_left_locator(void **state)
{
	static const uint8_t zeros[LOCATOR_BYTES - 10];
	struct fixture *f = *state;
	uint8_t page[SWAPHEADER_BYTES];

	set_page0(f, SWAP);
	leave_locator(f, SWAP);
	begin(f);
	read_page0(f, page);
	assert_memory_equal(page + LOCATOR_AT, zeros, sizeof(zeros));
	assert_memory_equal(page + sizeof(page) - 10, SWAP, 10);
	for (size_t i = 0; i < LOCATOR_AT; i++)
		assert_int_equal(page[i], 'h');
	assert_ok(commit_valid(&f->t, &f->c, &whole));
	assert_int_equal(f->c.page0, PAGE0_MARKED);
	assert_ok(boot(f));
	assert_loaded(f, SLOT_VALID);
	assert_false(commit_is_dead(&f->c));
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	read_page0(f, page);
	assert_memory_equal(page + sizeof(page) - 10, SWAP, 10);
}

/* Whatever else is in the sector is not ours. */
static void test_no_locator_left(void **state)
{
	struct fixture *f = *state;
	uint8_t page[SWAPHEADER_BYTES];

	set_page0(f, SWAP);
	leave_locator(f, "S1SUSPEND.");
	begin(f);
	read_page0(f, page);
	assert_memory_equal(page + LOCATOR_AT, "DORM-LOC", 8);
	assert_int_equal(f->c.slot.features_incompat, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMMIT_TEST(test_round),
		COMMIT_TEST(test_no_swap),
		COMMIT_TEST(test_finish_writing),
		COMMIT_TEST(test_finish_retiring),
		COMMIT_TEST(test_turned_on),
		COMMIT_TEST(test_turned_on_and_used),
		COMMIT_TEST(test_made_since),
		COMMIT_TEST(test_header_gone),
		COMMIT_TEST(test_torn),
		COMMIT_TEST(test_left_locator),
		COMMIT_TEST(test_no_locator_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
