/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reserved slots of a swap area in use: the last sector of its page 0 is part of the
 * commit, and all else in that page stays; and of both kinds of located targets, slots
 * count only with the nonce of the map.
 *
 * Planted faults that made it fail: no bit in the slots; no locator before VALID; the sector
 * not put back by commit_retire, or by commit_finish, with slots or without; any locator
 * taken for this image's; the signature of page 0 of the address space looked at; slots with
 * the nonce of another image counted; commit_begin with another nonce than the map's; the
 * whole swap area begun over with an image in its slots.
 */
#include "commitfixture.h"

#include "formats/locator.h"

static void assert_sector(struct fixture *f, bool locator)
{
	uint8_t page[SWAPHEADER_BYTES];
	struct locator l;

	assert_int_equal(pread(f->file.fd, page, sizeof(page), 0), sizeof(page));
	for (size_t i = 0; i < LOCATOR_AT; i++)
		assert_int_equal(page[i], 'h');
	if (!locator) {
		for (size_t i = LOCATOR_AT; i < sizeof(page) - 10; i++)
			assert_int_equal(page[i], 'h');
		assert_memory_equal(page + sizeof(page) - 10, "SWAPSPACE2", 10);
		return;
	}
	assert_ok(locator_decode(page + LOCATOR_AT, &l));
	assert_int_equal(l.map, 12288);
	assert_memory_equal(l.nonce, nonce_a, NONCE_BYTES);
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

static void load(struct fixture *f)
{
	assert_ok(commit_load(&f->t, &f->c));
}

static void locate_swap(struct fixture *f)
{
	set_page0(f, "SWAPSPACE2");
	locate(f, nonce_a);
}

static void make_image(struct fixture *f)
{
	unlocate(f);
	overwrite(f, 0);
	overwrite(f, 1);
	locate_swap(f);
	make_valid(f);
}

/* As the next boot does it: by the locator. */
static err_t boot(struct fixture *f)
{
	target_close(&f->t);
	return located_open_locator(f->file.path, true, LOCATOR_AT, &f->t);
}

static void test_round(void **state)
{
	struct fixture *f = *state;

	locate_swap(f);
	begin(f);
	assert_sector(f, false);
	for (int i = 0; i < 2; i++)
		assert_int_equal(peek(f, i).features_incompat, SLOT_INCOMPAT_LOCATED);
	assert_ok(commit_valid(&f->t, &f->c, &whole));
	assert_sector(f, true);
	assert_int_equal(f->c.page0, PAGE0_MARKED);
	assert_ok(boot(f));
	assert_loaded(f, SLOT_VALID);
	assert_int_equal(f->c.slot.features_incompat, SLOT_INCOMPAT_LOCATED);
	assert_ok(commit_check_page0(&f->c));
	assert_ok(commit_finish(&f->t, &f->c));
	assert_ok(commit_resume_failed(&f->t, &f->c, "x"));
	assert_ok(commit_resuming(&f->t, &f->c));
	assert_sector(f, true);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_loaded(f, SLOT_RESUMING);
	assert_sector(f, true);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_sector(f, false);
	assert_int_equal(f->c.page0, PAGE0_SWAP);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_loaded(f, SLOT_RETIRED);
	assert_err(boot(f), ERR_FORMAT);
}

/* Cut after the locator was written, and before VALID was. */
static void test_finish_writing(void **state)
{
	struct fixture *f = *state;

	locate_swap(f);
	begin(f);
	put_locator(f, nonce_a, 12288);
	assert_ok(boot(f));
	load(f);
	assert_ok(commit_finish(&f->t, &f->c));
	assert_sector(f, false);
	assert_loaded(f, SLOT_WRITING);
	/* The same, and a writer that gave up there. */
	put_locator(f, nonce_a, 12288);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_sector(f, false);
	/* The same, and the next hibernation comes first. */
	put_locator(f, nonce_a, 12288);
	locate(f, nonce_b);
	assert_sector(f, false);
	assert_memory_equal(f->t.saved + LOCATOR_BYTES - 10, "SWAPSPACE2", 10);
}

/* Retiring, cut after its first slot, and after both. */
static void test_finish_retiring(void **state)
{
	struct fixture *f = *state;
	struct slot valid;
	int place;

	make_image(f);
	valid = f->c.slot;
	place = f->c.place;
	assert_ok(commit_retire(&f->t, &f->c, "why"));
	for (int both = 0; both < 2; both++) {
		if (!both)
			poke(f, place, &valid);
		put_locator(f, nonce_a, 12288);
		assert_ok(boot(f));
		load(f);
		assert_int_equal(f->c.slot.state, SLOT_RETIRED);
		assert_ok(commit_finish(&f->t, &f->c));
		assert_sector(f, false);
		assert_loaded(f, SLOT_RETIRED);
		assert_string_equal(peek(f, place).reason, "why");
	}
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
	assert_sector(f, false);
	assert_foreign(f, 0);
	assert_foreign(f, 1);
	make_image(f);
	tempfile_flip(&f->file, 12288 + 100, 1);
	assert_err(boot(f), ERR_CORRUPT);
	assert_sector(f, true);
}

/* swapon of another boot puts the signature back, mkswap makes all of it anew, and a
 * third makes an image of its own: dead, in whatever state, and the sector is theirs. */
static void test_turned_on(void **state)
{
	struct fixture *f = *state;
	uint8_t theirs[LOCATOR_BYTES], now[LOCATOR_BYTES];

	for (int n = 0; n < 6; n++) {
		make_image(f);
		if (n % 2)
			assert_ok(commit_resuming(&f->t, &f->c));
		assert_false(commit_is_dead(&f->c));
		if (n / 2 == 0)
			assert_int_equal(pwrite(f->file.fd, "SWAPSPACE2", 10, 4086), 10);
		else if (n / 2 == 1)
			write_sector(f, memset(theirs, 0, sizeof(theirs)));
		else
			put_locator(f, nonce_b, 12288);
		assert_int_equal(pread(f->file.fd, theirs, sizeof(theirs), LOCATOR_AT), 512);
		assert_err(commit_resuming(&f->t, &f->c), ERR_REFUSED);
		load(f);
		assert_true(commit_is_dead(&f->c));
		assert_err(commit_check_page0(&f->c), ERR_REFUSED);
		assert_ok(commit_finish(&f->t, &f->c));
		assert_loaded(f, SLOT_RETIRED);
		assert_int_equal(pread(f->file.fd, now, sizeof(now), LOCATOR_AT), sizeof(now));
		assert_memory_equal(now, theirs, sizeof(now));
		assert_err(boot(f), n / 2 == 2 ? ERR_CORRUPT : ERR_FORMAT);
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

/* Any of the page's sectors may land or not: it is the old one or the new one. */
static void test_torn(void **state)
{
	struct fixture *f = *state;
	uint8_t old[SWAPHEADER_BYTES], new[SWAPHEADER_BYTES];

	locate_swap(f);
	assert_int_equal(pread(f->file.fd, old, sizeof(old), 0), sizeof(old));
	make_valid(f);
	assert_int_equal(pread(f->file.fd, new, sizeof(new), 0), sizeof(new));
	assert_memory_equal(old, new, LOCATOR_AT);
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
		COMMIT_TEST(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
