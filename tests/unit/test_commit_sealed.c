/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What committing does for a sealed image: its key is overwritten when it is retired,
 * however that was cut short, and nothing else ever is.
 *
 * Planted faults that made it fail: commit_retire without keywipe; commit_finish without
 * it; the key's nonce not compared; the place of the key not held against the target's
 * size, or the slots' places; commit_valid without check_tagged. In what order the key is
 * overwritten, flushed and read back is test_commit_failures.c's.
 */
#include "commitfixture.h"

#include "image/keywipe.h"

/* Bytes of the key's place that are not zero. */
static size_t left(struct fixture *f)
{
	uint8_t block[KEYBLOCK_BYTES];
	size_t n = 0;

	assert_int_equal(pread(f->file.fd, block, sizeof(block), KEY_AT), KEYBLOCK_BYTES);
	for (size_t i = 0; i < sizeof(block); i++)
		n += block[i] != 0;
	return n;
}

static void make_sealed(struct fixture *f)
{
	struct slot s;

	begin(f);
	put_key(f, KEY_AT, nonce_a);
	s = sealed_slot(f);
	assert_ok(commit_valid(&f->t, &f->c, &s));
	assert_memory_equal(f->c.slot.tag, s.tag, sizeof(s.tag));
}

static void retire_wipes(void **state)
{
	struct fixture *f = *state;

	make_sealed(f);
	assert_true(left(f) > 0);
	assert_ok(commit_retire(&f->t, &f->c, "the host is back"));
	assert_loaded(f, SLOT_RETIRED);
	assert_int_equal(left(f), 0);
	assert_ok(commit_retire(&f->t, &f->c, "again"));
	assert_ok(commit_finish(&f->t, &f->c));
}

static void states_keep_it(void **state)
{
	struct fixture *f = *state;
	size_t before;

	make_sealed(f);
	before = left(f);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_ok(commit_resume_failed(&f->t, &f->c, "no"));
	assert_ok(commit_resuming(&f->t, &f->c));
	assert_loaded(f, SLOT_RESUMING);
	assert_int_equal(left(f), before);
	assert_true(slot_is_sealed(&f->c.slot));
	assert_int_equal(f->c.slot.tag[31], 0x5e);
	assert_ok(commit_retire(&f->t, &f->c, "used"));
	assert_int_equal(left(f), 0);
}

/* RETIRED stands in both slots, and then the power was cut. */
static void finish_wipes(void **state)
{
	struct fixture *f = *state;

	make_sealed(f);
	assert_ok(commit_retire(&f->t, &f->c, "used"));
	put_key(f, KEY_AT, nonce_a);
	assert_ok(commit_load(&f->t, &f->c));
	assert_ok(commit_finish(&f->t, &f->c));
	assert_int_equal(left(f), 0);
	assert_loaded(f, SLOT_RETIRED);
}

/* Overwriting was torn: the first sector, which has all that matters, is there yet. */
static void finish_wipes_torn(void **state)
{
	static const uint8_t zero[KEYBLOCK_BYTES - 512];
	struct fixture *f = *state;
	uint8_t first[512];

	make_sealed(f);
	assert_int_equal(pread(f->file.fd, first, sizeof(first), KEY_AT), sizeof(first));
	assert_ok(commit_retire(&f->t, &f->c, "used"));
	assert_int_equal(pwrite(f->file.fd, first, sizeof(first), KEY_AT), sizeof(first));
	assert_int_equal(pwrite(f->file.fd, zero, sizeof(zero), KEY_AT + 512), sizeof(zero));
	assert_ok(commit_load(&f->t, &f->c));
	assert_ok(commit_finish(&f->t, &f->c));
	assert_int_equal(left(f), 0);
}

static void finish_wipes_in_swap(void **state)
{
	struct fixture *f = *state;

	set_page0(f, "SWAPSPACE2");
	make_sealed(f);
	assert_int_equal(f->c.page0, PAGE0_MARKED);
	assert_ok(commit_retire(&f->t, &f->c, "used"));
	assert_int_equal(f->c.page0, PAGE0_SWAP);
	assert_int_equal(left(f), 0);
	put_key(f, KEY_AT, nonce_a);
	set_page0(f, "LINHIB0001");
	assert_ok(commit_load(&f->t, &f->c));
	assert_ok(commit_finish(&f->t, &f->c));
	assert_int_equal(left(f), 0);
	assert_ok(commit_load(&f->t, &f->c));
	assert_int_equal(f->c.page0, PAGE0_SWAP);
}

/* The place has become something else since, or the slot lies. */
static void nothing_else_is_wiped(void **state)
{
	struct fixture *f = *state;
	struct slot s;
	bool is_left;
	size_t before;

	make_sealed(f);
	assert_ok(commit_retire(&f->t, &f->c, "used"));
	put_key(f, KEY_AT, nonce_b);
	before = left(f);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_ok(commit_retire(&f->t, &f->c, "again"));
	assert_int_equal(left(f), before);

	put_key(f, KEY_AT, nonce_a);
	before = left(f);
	s = f->c.slot;
	s.features_incompat = 0;
	assert_ok(keywipe(&f->t, &s));
	s = f->c.slot;
	s.sealing.key.offset = TARGET_BYTES;
	assert_ok(keywipe_is_left(&f->t, &s, &is_left));
	assert_false(is_left);
	s.sealing.key.offset = UINT64_MAX - 4095;
	assert_ok(keywipe(&f->t, &s));
	s.sealing.key.offset = KEY_AT;
	s.sealing.key.length = 4;
	assert_ok(keywipe(&f->t, &s));
	assert_int_equal(left(f), before);
	s.sealing.key.length = KEYBLOCK_BYTES;
	assert_ok(keywipe(&f->t, &s));
	assert_int_equal(left(f), 0);
	/* One that would be a key, and lies where a slot does. */
	put_key(f, SLOT_A_OFFSET, nonce_a);
	s.sealing.key.offset = SLOT_A_OFFSET;
	assert_ok(keywipe_is_left(&f->t, &s, &is_left));
	assert_false(is_left);
}

/* The tag is over what the medium said when the image was begun. */
static void valid_checks_what_is_tagged(void **state)
{
	struct fixture *f = *state;
	struct slot s;

	set_page0(f, "SWAPSPACE2");
	begin(f);
	s = sealed_slot(f);
	s.created++;
	assert_err(commit_valid(&f->t, &f->c, &s), ERR_INVALID);
	s = sealed_slot(f);
	s.features_incompat &= ~SLOT_INCOMPAT_SWAP;
	assert_err(commit_valid(&f->t, &f->c, &s), ERR_INVALID);
	s = sealed_slot(f);
	s.nonce[0] ^= 1;
	assert_err(commit_valid(&f->t, &f->c, &s), ERR_INVALID);
	s = sealed_slot(f);
	assert_ok(commit_valid(&f->t, &f->c, &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMMIT_TEST(retire_wipes),
		COMMIT_TEST(states_keep_it),
		COMMIT_TEST(finish_wipes),
		COMMIT_TEST(finish_wipes_in_swap),
		COMMIT_TEST(finish_wipes_torn),
		COMMIT_TEST(nothing_else_is_wiped),
		COMMIT_TEST(valid_checks_what_is_tagged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
