/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A target in a file, its two slots behind the back of the code under test, and an
 * image to commit to it. */
#ifndef COMMITFIXTURE_H
#define COMMITFIXTURE_H

#include "unit.h"

#include "formats/keyblock.h"
#include "formats/swapheader.h"
#include "image/commit.h"
#include "image/located.h"
#include "tempfile.h"

#define TARGET_BYTES (64u << 10)
#define KEY_AT	     28672u /* of a sealed image */

static const uint8_t nonce_a[NONCE_BYTES] = "nonce of image A";
static const uint8_t nonce_b[NONCE_BYTES] = "nonce of image B";

/* As image_writer_run leaves it. */
static const struct slot whole = {
	.header = {16384, 100, 0x1234},
	.directory = {20480, 32, 0x5678},
	.image_end = 24576,
	.data_pages = 3,
	.raw_bytes = 3 * 4096,
	.stored_bytes = 5000,
};

struct fixture {
	struct tempfile file;
	struct target t;
	struct commit c;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	tempfile_open(&f->file, TARGET_BYTES);
	assert_ok(target_open(&f->t, f->file.path, true, false));
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	target_close(&f->t);
	tempfile_close(&f->file);
	free(f);
	return 0;
}

/*
 * From now on the target is reserved slots of a swap area, in the same file: its page 0 is
 * the file's, and the superblocks are where they are on a whole device. Page 0 of the
 * address space is at the file's end. Planted in it: the signature of a swap area, since
 * what was swapped out there last may be anything.
 */
static inline void locate(struct fixture *f, const uint8_t nonce[NONCE_BYTES])
{
	static const struct extent slots[] = {
		{TARGET_BYTES - 4096, 4096}, {4096, 12288}, {16384, TARGET_BYTES - 20480}};

	target_close(&f->t);
	assert_int_equal(pwrite(f->file.fd, "SWAPSPACE2", 10, TARGET_BYTES - 10), 10);
	assert_ok(located_create(f->file.path, slots, 3, 3584, nonce, &f->t));
}

/* And the whole of it again. */
static inline void unlocate(struct fixture *f)
{
	target_close(&f->t);
	assert_ok(target_open(&f->t, f->file.path, true, false));
}

static inline uint64_t place(int which)
{
	return which ? SLOT_B_OFFSET : SLOT_A_OFFSET;
}

/* As mkswap leaves page 0: what is in it, and the signature at its end. */
static inline void set_page0(struct fixture *f, const char *signature)
{
	uint8_t page[SWAPHEADER_BYTES];

	memset(page, 'h', sizeof(page));
	memcpy(page + sizeof(page) - 10, signature, 10);
	assert_int_equal(pwrite(f->file.fd, page, sizeof(page), 0), sizeof(page));
}

/* What one slot holds, behind the back of the code under test. */
static inline struct slot peek(struct fixture *f, int which)
{
	uint8_t buf[SLOT_BYTES];
	struct slot s;

	assert_int_equal(pread(f->file.fd, buf, sizeof(buf), (off_t)place(which)), SLOT_BYTES);
	assert_ok(slot_decode(buf, &s));
	return s;
}

static inline void poke(struct fixture *f, int which, const struct slot *s)
{
	uint8_t buf[SLOT_BYTES];

	slot_encode(s, buf);
	assert_int_equal(pwrite(f->file.fd, buf, sizeof(buf), (off_t)place(which)), SLOT_BYTES);
}

static inline void damage(struct fixture *f, int which)
{
	tempfile_flip(&f->file, place(which) + 700, 1);
}

/* Something that is no superblock: a swapped-out page. */
static inline void overwrite(struct fixture *f, int which)
{
	uint8_t page[SLOT_BYTES];

	memset(page, 'x', sizeof(page));
	assert_int_equal(pwrite(f->file.fd, page, sizeof(page), (off_t)place(which)), SLOT_BYTES);
}

static inline void assert_foreign(struct fixture *f, int which)
{
	uint8_t page[SLOT_BYTES];

	assert_int_equal(pread(f->file.fd, page, sizeof(page), (off_t)place(which)), SLOT_BYTES);
	for (size_t i = 0; i < sizeof(page); i++)
		assert_int_equal(page[i], 'x');
}

/* *c says what a fresh look at the medium says. */
static inline void assert_loaded(struct fixture *f, enum slot_state state)
{
	struct commit c;

	assert_ok(commit_load(&f->t, &c));
	assert_int_equal(c.slot.state, state);
	assert_memory_equal(&c.slot, &f->c.slot, sizeof(c.slot));
	assert_int_equal(c.place, f->c.place);
	assert_int_equal(c.twin_good, f->c.twin_good);
	assert_int_equal(c.holds_image, f->c.holds_image);
	assert_int_equal(c.holds_image, state == SLOT_VALID || state == SLOT_RESUMING);
}

static inline void begin(struct fixture *f)
{
	assert_ok(commit_begin(&f->t, &f->c, nonce_a, 1700000000));
}

static inline void make_valid(struct fixture *f)
{
	begin(f);
	assert_ok(commit_valid(&f->t, &f->c, &whole));
}

/* The same of a sealed one. */
static inline struct slot sealed_slot(const struct fixture *f)
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

static inline void put_key(struct fixture *f, uint64_t at, const uint8_t nonce[NONCE_BYTES])
{
	struct keyblock k = {{0}, {1}, {2}, {3}, {4}};
	uint8_t block[KEYBLOCK_BYTES];

	memcpy(k.nonce, nonce, sizeof(k.nonce));
	keyblock_encode(&k, block);
	assert_int_equal(pwrite(f->file.fd, block, sizeof(block), (off_t)at), KEYBLOCK_BYTES);
}

#define COMMIT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
