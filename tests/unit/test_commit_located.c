/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reserved slots of a swap area in use: the last sector of its page 0 is part of the
 * commit, and all else in that page stays; and of both kinds of located targets, slots
 * count only with the nonce of the map.
 *
 * Planted faults that made it fail: no bit in the slots; no locator before VALID; the sector
 * not put back by commit_retire, or by commit_finish, with slots or without; any locator
 * taken for this image's; the signature of page 0 of the address space looked at; slots with
 * the nonce of another image counted, or those of a newer version; commit_begin with another nonce
 * than the map's; the whole swap area begun over with an image in its slots; what swapon has left
 * of a locator kept, and put back.
 */
#include "commitwalk.h"

#include "formats/locator.h"

#define MAP_PLACE 12288 /* in the second of the fixture's extents, behind the slots */

static void check_sector(struct fixture *f, bool locator)
{
	uint8_t page[SWAPHEADER_BYTES];
	struct locator l;

	read_page0(f, page);
	for (size_t i = 0; i < LOCATOR_AT; i++)
		assert_int_equal(page[i], 'h');
	if (!locator) {
		for (size_t i = LOCATOR_AT; i < sizeof(page) - 10; i++)
			assert_int_equal(page[i], 'h');
		assert_memory_equal(page + sizeof(page) - 10, "SWAPSPACE2", 10);
		return;
	}
	assert_ok(locator_decode(page + LOCATOR_AT, &l));
	assert_int_equal(l.map, MAP_PLACE);
	assert_memory_equal(l.nonce, f->c.slot.nonce, NONCE_BYTES);
}

static void write_sector(struct fixture *f, const uint8_t sector[LOCATOR_BYTES])
{
	assert_int_equal(pwrite(f->file.fd, sector, LOCATOR_BYTES, LOCATOR_AT), LOCATOR_BYTES);
}

static void put_locator(struct fixture *f, const uint8_t nonce[NONCE_BYTES], uint64_t map)
{
	struct locator l = {.map = map};
	uint8_t sector[LOCATOR_BYTES];

	memcpy(l.nonce, nonce, NONCE_BYTES);
	locator_encode(&l, sector);
	write_sector(f, sector);
}

static void put_own_locator(struct fixture *f)
{
	put_locator(f, f->c.slot.nonce, MAP_PLACE);
}

/* By the locator. */
static err_t boot(struct fixture *f)
{
	target_close(&f->t);
	return located_open_locator(f->file.path, true, LOCATOR_AT, &f->t);
}

static void make_area(struct fixture *f)
{
	unlocate(f);
	overwrite(f, 0);
	overwrite(f, 1);
	set_page0(f, "SWAPSPACE2");
}

static const struct mark locator = {
	.feature = SLOT_INCOMPAT_LOCATED,
	.located = true,
	.make_area = make_area,
	.lay = locate,
	.boot = boot,
	.put = put_own_locator,
	.check = check_sector,
};

static void locate_swap(struct fixture *f)
{
	set_page0(f, "SWAPSPACE2");
	locate(f, nonce_a);
}

static void make_image(struct fixture *f)
{
	walk_valid(f, &locator);
}

static void test_round(void **state)
{
	walk_round(*state, &locator);
}

static void test_finish_writing(void **state)
{
	struct fixture *f = *state;

	walk_finish_writing(f, &locator);
	/* What the next hibernation has read of page 0 is not the locator of the last one. */
	assert_memory_equal(f->t.saved + LOCATOR_BYTES - 10, "SWAPSPACE2", 10);
}

static void test_finish_retiring(void **state)
{
	walk_finish_retiring(*state, &locator);
}

/* The sector was not put back, and the host went on and swapped: the slots are pages of
 * somebody by now, and the map may be. */
static void test_slots_used_since(void **state)
{
	struct fixture *f = *state;

	make_image(f);
	overwrite(f, 0);
	overwrite(f, 1);
	assert_ok(boot(f));
	assert_err(commit_load(&f->t, &f->c), ERR_FORMAT);
	assert_ok(commit_finish(&f->t, &f->c));
	check_sector(f, false);
	assert_foreign(f, 0);
	assert_foreign(f, 1);
	make_image(f);
	tempfile_flip(&f->file, 12288 + 100, 1);
	assert_err(boot(f), ERR_CORRUPT);
	check_sector(f, true);
}

static void turn_on(struct fixture *f)
{
	assert_int_equal(pwrite(f->file.fd, "SWAPSPACE2", 10, 4086), 10);
}

static void make_anew(struct fixture *f)
{
	static const uint8_t zeros[LOCATOR_BYTES];

	write_sector(f, zeros);
}

static void put_other_image(struct fixture *f)
{
	put_locator(f, nonce_b, MAP_PLACE);
}

/* swapon of another boot puts the signature back, mkswap makes all of it anew, and a
 * third makes an image of its own: the sector is theirs. */
static void test_turned_on(void **state)
{
	static const struct {
		void (*change)(struct fixture *f);
		enum err_kind then; /* what the boot after that finds */
	} ways[] = {{turn_on, ERR_FORMAT}, {make_anew, ERR_FORMAT}, {put_other_image, ERR_CORRUPT}};

	for (unsigned int n = 0; n < 2 * ARRAY_LEN(ways); n++) {
		walk_turned_on(*state, &locator, n % 2, ways[n / 2].change);
		assert_err(boot(*state), ways[n / 2].then);
	}
}

/* Page 0 is not what it was when the map was written: VALID is not. */
static void test_sector_changed(void **state)
{
	struct fixture *f = *state;

	locate_swap(f);
	begin(f);
	tempfile_flip(&f->file, LOCATOR_AT + 3, 1);
	assert_err(commit_valid(&f->t, &f->c, &whole), ERR_REFUSED);
	load(f);
	assert_int_equal(f->c.slot.state, SLOT_WRITING);
	assert_err(commit_begin(&f->t, &f->c, nonce_b, 1), ERR_INVALID);
	/* The same before WRITING. */
	assert_err(commit_begin(&f->t, &f->c, nonce_a, 1), ERR_REFUSED);
	assert_loaded(f, SLOT_WRITING);
}

static void test_torn(void **state)
{
	walk_torn(*state, &locator);
}

/* The whole of the area, as an idle one: what is in its slots is no image of that, and it
 * is not begun over. */
static void test_whole_area(void **state)
{
	struct fixture *f = *state;
	struct slot dead, was;

	make_image(f);
	unlocate(f);
	assert_err(commit_load(&f->t, &f->c), ERR_FORMAT);
	assert_err(commit_begin(&f->t, &f->c, nonce_b, 1), ERR_REFUSED);
	/* And one of the idle area that is there yet is dead. */
	was = peek(f, 0);
	dead = was;
	dead.features_incompat = SLOT_INCOMPAT_SWAP;
	poke(f, 0, &dead);
	load(f);
	assert_true(commit_is_dead(&f->c));
	poke(f, 0, &was);
	assert_ok(boot(f));
	load(f);
	assert_int_equal(f->c.slot.state, SLOT_VALID);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	unlocate(f);
	assert_ok(commit_begin(&f->t, &f->c, nonce_b, 1));
}

/* What an image of the whole device has left at the same places. */
static void test_left_by_others(void **state)
{
	struct fixture *f = *state;
	uint64_t generation;

	set_page0(f, "SWAPSPACE2");
	make_valid(f);
	generation = f->c.slot.generation;
	set_page0(f, "SWAPSPACE2"); /* turned on since: dead, and never retired */
	locate(f, nonce_b);
	assert_err(commit_load(&f->t, &f->c), ERR_FORMAT);
	assert_ok(commit_begin(&f->t, &f->c, nonce_b, 1));
	assert_int_equal(f->c.slot.generation, generation + 2);
	/* With the map's nonce, but of another kind of target: it is not ours either. */
	f->c.slot.features_incompat = 0;
	for (int i = 0; i < 2; i++)
		poke(f, i, &f->c.slot);
	assert_err(commit_load(&f->t, &f->c), ERR_FORMAT);
}

/* What looks like a newer version's superblock: the slots are pages that somebody had swapped
 * out, and nobody need have run a newer version. One that has the map's nonce is one. */
static void test_left_by_newer(void **state)
{
	struct fixture *f = *state;
	uint8_t raw[SLOT_BYTES];
	struct slot newer = {.state = SLOT_VALID, .generation = 9, .features_incompat = 1u << 31};

	memcpy(newer.nonce, nonce_b, NONCE_BYTES);
	locate_swap(f);
	slot_encode(&newer, raw);
	assert_err(slot_decode(raw, &f->c.slot), ERR_UNSUPPORTED);
	for (int i = 0; i < 2; i++)
		poke(f, i, &newer);
	assert_err(commit_load(&f->t, &f->c), ERR_FORMAT);
	assert_ok(commit_begin(&f->t, &f->c, nonce_a, 1));
	poke(f, f->c.place, &newer);
	assert_ok(commit_load(&f->t, &f->c));
	memcpy(newer.nonce, nonce_a, NONCE_BYTES);
	poke(f, f->c.place, &newer);
	assert_err(commit_load(&f->t, &f->c), ERR_UNSUPPORTED);
	assert_err(commit_begin(&f->t, &f->c, nonce_a, 1), ERR_UNSUPPORTED);
}

/* A file: no locator, and the map's nonce is all that ties the slots to it. */
static void test_file(void **state)
{
	static const struct extent parts[] = {{4096 * 5, 4096 * 4}, {4096, 4096 * 3}};
	struct fixture *f = *state;
	struct target t;

	target_close(&f->t);
	assert_ok(located_create(f->file.path, parts, 2, 0, nonce_a, &f->t));
	begin(f);
	assert_int_equal(f->c.slot.features_incompat, 0);
	assert_ok(commit_valid(&f->t, &f->c, &whole));
	assert_int_equal(f->c.page0, PAGE0_OTHER);
	/* An image is there: the map that it needs is not written over. */
	assert_err(located_create(f->file.path, parts, 2, 0, nonce_b, &t), ERR_REFUSED);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_ok(located_create(f->file.path, parts, 2, 0, nonce_b, &t));
	assert_err(commit_load(&t, &f->c), ERR_FORMAT);
	target_close(&t);
}

/* What swapon leaves of a locator goes with the next image, however many there are of them;
 * and the whole area can hold one then. */
static void test_left_locator(void **state)
{
	static const uint8_t zeros[LOCATOR_BYTES - 10];
	struct fixture *f = *state;
	uint8_t page[SWAPHEADER_BYTES];

	make_image(f);
	turn_on(f);
	for (int n = 0; n < 2; n++) {
		locate(f, nonce_b);
		assert_ok(commit_begin(&f->t, &f->c, nonce_b, 1));
		assert_ok(commit_valid(&f->t, &f->c, &whole));
		assert_ok(boot(f));
		assert_loaded(f, SLOT_VALID);
		assert_ok(commit_retire(&f->t, &f->c, "x"));
		read_page0(f, page);
		assert_memory_equal(page + LOCATOR_AT, zeros, sizeof(zeros));
		assert_memory_equal(page + sizeof(page) - 10, "SWAPSPACE2", 10);
	}
	make_image(f);
	turn_on(f);
	unlocate(f);
	make_valid(f);
	load(f);
	assert_false(commit_is_dead(&f->c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMMIT_TEST(test_round),
		COMMIT_TEST(test_finish_writing),
		COMMIT_TEST(test_finish_retiring),
		COMMIT_TEST(test_slots_used_since),
		COMMIT_TEST(test_turned_on),
		COMMIT_TEST(test_sector_changed),
		COMMIT_TEST(test_torn),
		COMMIT_TEST(test_whole_area),
		COMMIT_TEST(test_left_by_others),
		COMMIT_TEST(test_left_by_newer),
		COMMIT_TEST(test_file),
		COMMIT_TEST(test_left_locator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
