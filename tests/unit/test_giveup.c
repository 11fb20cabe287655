/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: the sealed key left when VALID was begun, and when retiring
 * fails before that; overwritten while a slot may say VALID; the host let go on beside VALID.
 */
#include "commitfixture.h"

#include "formats/keyblock.h"
#include "imagewriter/giveup.c"

#define PLACE 28672u

static struct slot begin_sealed(struct fixture *f)
{
	struct keyblock k = {{0}, {1}, {2}, {3}, {4}};
	uint8_t block[KEYBLOCK_BYTES];
	struct slot s = whole;

	begin(f);
	s.image_end = PLACE + KEYBLOCK_BYTES;
	s.features_incompat = SLOT_INCOMPAT_SEALED | f->c.slot.features_incompat;
	s.created = f->c.slot.created;
	memcpy(s.nonce, f->c.slot.nonce, sizeof(s.nonce));
	s.sealing.cipher = 1;
	s.sealing.key = (struct slot_region){PLACE, KEYBLOCK_BYTES, 0x9abc};
	memcpy(k.nonce, s.nonce, sizeof(k.nonce));
	keyblock_encode(&k, block);
	assert_int_equal(pwrite(f->file.fd, block, sizeof(block), PLACE), KEYBLOCK_BYTES);
	return s;
}

static bool key_is_left(struct fixture *f)
{
	static const uint8_t zero[KEYBLOCK_BYTES];
	uint8_t block[KEYBLOCK_BYTES];

	assert_int_equal(pread(f->file.fd, block, sizeof(block), PLACE), KEYBLOCK_BYTES);
	return memcmp(block, zero, sizeof(zero)) != 0;
}

/* Before VALID, and when VALID was begun, with and without a slot on the medium that has it. */
static void test_retired(void **state)
{
	struct fixture *f = *state;

	for (int step = 0; step < 3; step++) {
		struct slot s = begin_sealed(f);

		if (step == 2)
			assert_ok(commit_valid(&f->t, &f->c, &s));
		assert_true(key_is_left(f));
		assert_true(giveup(&f->t, &f->c, &s, step > 0, "no"));
		assert_false(key_is_left(f));
		assert_loaded(f, SLOT_RETIRED);
	}
}

/* What cannot be retired: the target is read-only by now. */
static void test_not_retired(void **state)
{
	struct fixture *f = *state;
	struct slot s = begin_sealed(f);
	struct target read_only;

	assert_ok(target_open(&read_only, f->file.path, false, false));
	assert_true(giveup(&read_only, &f->c, &s, false, "no"));
	assert_true(giveup(&read_only, &f->c, &s, true, "no"));
	assert_ok(commit_valid(&f->t, &f->c, &s));
	assert_false(giveup(&read_only, &f->c, &s, true, "no"));
	assert_true(key_is_left(f));
	target_close(&read_only);
}

/* Not before it is retired when a slot may say VALID: then the key is the session's. */
static void test_order(void **state)
{
	struct fixture *f = *state;
	struct slot s = begin_sealed(f);
	struct commit other;

	assert_ok(commit_begin(&f->t, &other, nonce_b, 1)); /* so that retiring is refused */
	assert_true(giveup(&f->t, &f->c, &s, true, "no"));
	assert_true(key_is_left(f));
	assert_true(giveup(&f->t, &f->c, &s, false, "no"));
	assert_false(key_is_left(f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {COMMIT_TEST(test_retired), COMMIT_TEST(test_not_retired),
					   COMMIT_TEST(test_order)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
