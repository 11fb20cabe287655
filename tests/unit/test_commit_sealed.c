/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What committing does for a sealed image: its key is overwritten when it is retired,
 * however that was cut short, and nothing else ever is.
 *
 * Planted faults that made it fail: commit_retire without keywipe; commit_finish without
 * it; the key's nonce not compared; the place of the key not held against the target's
 * size; commit_valid without check_tagged.
 */
#include "commitfixture.h"

#include "formats/keyblock.h"
#include "image/keywipe.h"

#define KEY_AT 28672u

/* As image_writer_run leaves it. */
static struct slot sealed_slot(const struct fixture *f)
{
	struct slot s = whole;

	s.image_end = KEY_AT + KEYBLOCK_BYTES;
	s.features_incompat = SLOT_INCOMPAT_SEALED | f->c.slot.features_incompat;
	s.created = f->c.slot.created;
	memcpy(s.nonce, f->c.slot.nonce, sizeof(s.nonce));
	s.sealing.cipher = 1;
	s.sealing.key = (struct slot_region){KEY_AT, KEYBLOCK_BYTES, 0x9abc};
	memset(s.tag, 0x5e, sizeof(s.tag));
	return s;
}

static void put_key(struct fixture *f, const uint8_t nonce[NONCE_BYTES])
{
	struct keyblock k = {{0}, {1}, {2}, {3}, {4}};
	uint8_t block[KEYBLOCK_BYTES];

	memcpy(k.nonce, nonce, sizeof(k.nonce));
	keyblock_encode(&k, block);
	assert_int_equal(pwrite(f->file.fd, block, sizeof(block), KEY_AT), KEYBLOCK_BYTES);
}

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
	put_key(f, nonce_a);
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
	put_key(f, nonce_a);
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
	put_key(f, nonce_a);
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
	put_key(f, nonce_b);
	before = left(f);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_ok(commit_retire(&f->t, &f->c, "again"));
	assert_int_equal(left(f), before);

	put_key(f, nonce_a);
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
	s.sealing.key.offset = SLOT_A_OFFSET;
	assert_ok(keywipe(&f->t, &s));
	s.sealing.key.offset = KEY_AT;
	s.sealing.key.length = 4;
	assert_ok(keywipe(&f->t, &s));
	assert_int_equal(left(f), before);
	s.sealing.key.length = KEYBLOCK_BYTES;
	assert_ok(keywipe(&f->t, &s));
	assert_int_equal(left(f), 0);
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
