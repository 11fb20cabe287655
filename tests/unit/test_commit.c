/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the two slots hold after each step, and after steps that were cut short.
 * Operations that fail, and their order, are test_commit_failures.c's; power cuts at
 * every write and flush are tests/crash's.
 *
 * Planted faults that made it fail: nonce not compared in medium_of_image;
 * generation taken from *c by commit_retire; commit_retire with one place only, or
 * writing over a foreign one; commit_begin without the check for an image; commit_valid
 * without the check of the states; twin_good always true; a newer version's slot ignored.
 */
#include "commitfixture.h"

#include "base/bytes.h"
#include "base/crc32c.h"

static void test_fresh(void **state)
{
	struct fixture *f = *state;

	assert_err(commit_load(&f->t, &f->c), ERR_FORMAT);
	assert_int_equal(f->c.slot.state, SLOT_EMPTY);
	assert_int_equal(f->c.slot.generation, 0);
	assert_true(f->c.twin_good);
}

static void test_begin(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_loaded(f, SLOT_WRITING);
	assert_int_equal(peek(f, 0).generation + peek(f, 1).generation, 1 + 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(peek(f, i).state, SLOT_WRITING);
		assert_int_equal(peek(f, i).created, 1700000000);
		assert_memory_equal(peek(f, i).nonce, nonce_a, NONCE_BYTES);
	}
	/* A second begin, by another process that knows nothing of the first. */
	f->c = (struct commit){0};
	assert_ok(commit_begin(&f->t, &f->c, nonce_b, 1));
	assert_int_equal(peek(f, 0).generation + peek(f, 1).generation, 3 + 4);
	assert_loaded(f, SLOT_WRITING);
}

static void test_begin_over_image(void **state)
{
	struct fixture *f = *state;

	make_valid(f);
	assert_err(commit_begin(&f->t, &f->c, nonce_b, 1), ERR_REFUSED);
	assert_loaded(f, SLOT_VALID);
	assert_ok(commit_resuming(&f->t, &f->c));
	assert_err(commit_begin(&f->t, &f->c, nonce_b, 1), ERR_REFUSED);
	assert_loaded(f, SLOT_RESUMING);
	assert_ok(commit_retire(&f->t, &f->c, "done"));
	assert_ok(commit_begin(&f->t, &f->c, nonce_b, 1));
	assert_loaded(f, SLOT_WRITING);
}

/* One VALID left anywhere is an image, whatever the other slot says. */
static void test_begin_over_older_image(void **state)
{
	struct fixture *f = *state;
	struct slot valid;

	make_valid(f);
	valid = f->c.slot;
	assert_ok(commit_retire(&f->t, &f->c, "done"));
	poke(f, !f->c.place, &valid);
	assert_err(commit_begin(&f->t, &f->c, nonce_b, 1), ERR_REFUSED);
}

static void test_begin_over_damage(void **state)
{
	struct fixture *f = *state;

	begin(f);
	damage(f, 0);
	assert_ok(commit_begin(&f->t, &f->c, nonce_a, 1));
	assert_loaded(f, SLOT_WRITING);
	damage(f, 0);
	damage(f, 1);
	assert_err(commit_load(&f->t, &f->c), ERR_CORRUPT);
	assert_int_equal(f->c.slot.state, SLOT_EMPTY);
	assert_ok(commit_begin(&f->t, &f->c, nonce_a, 1));
	assert_loaded(f, SLOT_WRITING);
	overwrite(f, 0);
	overwrite(f, 1);
	assert_ok(commit_begin(&f->t, &f->c, nonce_a, 1));
	assert_loaded(f, SLOT_WRITING);
}

static void test_valid(void **state)
{
	struct fixture *f = *state;
	struct slot other;

	make_valid(f);
	assert_loaded(f, SLOT_VALID);
	assert_int_equal(f->c.slot.generation, 3);
	assert_int_equal(f->c.slot.created, 1700000000);
	assert_int_equal(f->c.slot.image_end, whole.image_end);
	assert_int_equal(f->c.slot.stored_bytes, whole.stored_bytes);
	assert_memory_equal(f->c.slot.nonce, nonce_a, NONCE_BYTES);
	other = peek(f, !f->c.place);
	assert_int_equal(other.state, SLOT_WRITING);
	/* The slot that counted was not touched, the older was replaced. */
	assert_int_equal(other.generation, 2);
}

static void test_valid_refused(void **state)
{
	struct fixture *f = *state;

	make_valid(f);
	assert_err(commit_valid(&f->t, &f->c, &whole), ERR_REFUSED); /* twice */
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	begin(f);
	damage(f, 1);
	assert_err(commit_valid(&f->t, &f->c, &whole), ERR_REFUSED);
	begin(f);
	overwrite(f, f->c.place);
	assert_err(commit_valid(&f->t, &f->c, &whole), ERR_REFUSED);
	begin(f);
	assert_ok(commit_retire(&f->t, &f->c, "given up"));
	assert_err(commit_valid(&f->t, &f->c, &whole), ERR_REFUSED);
}

/* Somebody else began an image while we were away: nothing of it is touched. */
static void test_nonce_changed(void **state)
{
	struct fixture *f = *state;
	struct commit other;
	struct slot a, b;

	make_valid(f);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_ok(commit_begin(&f->t, &other, nonce_b, 1));
	assert_err(commit_valid(&f->t, &f->c, &whole), ERR_REFUSED);
	assert_err(commit_retire(&f->t, &f->c, "x"), ERR_REFUSED);
	assert_ok(commit_valid(&f->t, &other, &whole));
	a = peek(f, 0);
	b = peek(f, 1);
	assert_err(commit_valid(&f->t, &f->c, &whole), ERR_REFUSED);
	assert_err(commit_resuming(&f->t, &f->c), ERR_REFUSED);
	assert_err(commit_retire(&f->t, &f->c, "x"), ERR_REFUSED);
	assert_err(commit_resume_failed(&f->t, &f->c, "x"), ERR_REFUSED);
	assert_int_equal(peek(f, 0).generation, a.generation);
	assert_int_equal(peek(f, 1).generation, b.generation);
}

/* One slot with another image suffices to refuse, also the older one. */
static void test_nonce_of_twin_changed(void **state)
{
	struct fixture *f = *state;
	struct slot s;

	make_valid(f);
	s = peek(f, f->c.place);
	s.generation--;
	memcpy(s.nonce, nonce_b, NONCE_BYTES);
	poke(f, !f->c.place, &s);
	assert_err(commit_resuming(&f->t, &f->c), ERR_REFUSED);
	assert_err(commit_retire(&f->t, &f->c, "x"), ERR_REFUSED);
	assert_int_equal(peek(f, !f->c.place).generation, s.generation);
	assert_ok(commit_load(&f->t, &f->c));
	assert_false(f->c.twin_good);
}

/* A power cut between the two slots of a second image: what the first has left in the older
 * place is in nobody's way. */
static void test_begun_in_one(void **state)
{
	static const enum slot_state left[] = {SLOT_RETIRED, SLOT_WRITING};
	struct fixture *f = *state;
	struct slot s;

	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		begin(f);
		s = peek(f, !f->c.place);
		memcpy(s.nonce, nonce_b, NONCE_BYTES);
		s.state = left[i];
		poke(f, !f->c.place, &s);
		assert_ok(commit_load(&f->t, &f->c));
		assert_int_equal(f->c.slot.state, SLOT_WRITING);
		assert_false(f->c.twin_good);
		assert_true(f->c.twin_other);
		assert_err(commit_valid(&f->t, &f->c, &whole), ERR_REFUSED);
		assert_ok(commit_retire(&f->t, &f->c, "interrupted"));
		assert_loaded(f, SLOT_RETIRED);
		assert_true(f->c.twin_good);
		assert_false(f->c.twin_other);
	}
}

static void test_resuming(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_err(commit_resuming(&f->t, &f->c), ERR_REFUSED);
	assert_ok(commit_valid(&f->t, &f->c, &whole));
	assert_ok(commit_resuming(&f->t, &f->c));
	assert_loaded(f, SLOT_RESUMING);
	assert_int_equal(peek(f, 0).state, SLOT_RESUMING);
	assert_int_equal(peek(f, 1).state, SLOT_RESUMING);
	assert_int_equal(f->c.slot.generation, 5);
	assert_int_equal(f->c.slot.image_end, whole.image_end);
	assert_ok(commit_resuming(&f->t, &f->c)); /* a second try */
	assert_int_equal(f->c.slot.generation, 7);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_err(commit_resuming(&f->t, &f->c), ERR_REFUSED);
}

static void test_retire(void **state)
{
	struct fixture *f = *state;
	char reason[400];

	make_valid(f);
	memset(reason, 'r', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	assert_ok(commit_retire(&f->t, &f->c, reason));
	assert_loaded(f, SLOT_RETIRED);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(peek(f, i).state, SLOT_RETIRED);
		assert_int_equal(strlen(peek(f, i).reason), SLOT_REASON_MAX - 1);
	}
	assert_ok(commit_retire(&f->t, &f->c, "once more"));
	assert_string_equal(peek(f, 0).reason, "once more");
	assert_string_equal(peek(f, 1).reason, "once more");
	assert_int_equal(f->c.slot.generation, 7);
}

/* A host that went on with a stale *c: the medium counts. */
static void test_retire_with_stale_commit(void **state)
{
	struct fixture *f = *state;
	struct commit stale;

	begin(f);
	stale = f->c;
	assert_ok(commit_valid(&f->t, &f->c, &whole));
	assert_ok(commit_resume_failed(&f->t, &f->c, "y"));
	assert_ok(commit_retire(&f->t, &stale, "x"));
	assert_int_equal(stale.slot.generation, 6);
	assert_int_equal(peek(f, 0).state, SLOT_RETIRED);
	assert_int_equal(peek(f, 1).state, SLOT_RETIRED);
}

/* The twin is damaged: an image to ask about; retiring repairs it. */
static void test_twin_damaged(void **state)
{
	struct fixture *f = *state;

	make_valid(f);
	damage(f, !f->c.place);
	assert_ok(commit_load(&f->t, &f->c));
	assert_int_equal(f->c.slot.state, SLOT_VALID);
	assert_false(f->c.twin_good);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_loaded(f, SLOT_RETIRED);
	assert_true(f->c.twin_good);
	assert_int_equal(peek(f, 0).state, SLOT_RETIRED);
	assert_int_equal(peek(f, 1).state, SLOT_RETIRED);
}

/* The same, and the user says: resume. */
static void test_twin_damaged_resumed(void **state)
{
	struct fixture *f = *state;

	make_valid(f);
	damage(f, !f->c.place);
	assert_ok(commit_load(&f->t, &f->c));
	assert_ok(commit_resuming(&f->t, &f->c));
	assert_loaded(f, SLOT_RESUMING);
	assert_true(f->c.twin_good);
}

/* The swap area is in use by now, and a page of it lies where a slot was. */
static void test_retire_spares_foreign(void **state)
{
	struct fixture *f = *state;
	int other;

	make_valid(f);
	other = !f->c.place;
	overwrite(f, other);
	assert_ok(commit_load(&f->t, &f->c));
	assert_false(f->c.twin_good);
	assert_err(commit_resume_failed(&f->t, &f->c, "x"), ERR_REFUSED);
	assert_foreign(f, other);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_int_equal(peek(f, !other).state, SLOT_RETIRED);
	assert_foreign(f, other);
	assert_loaded(f, SLOT_RETIRED);
	overwrite(f, !other);
	assert_err(commit_retire(&f->t, &f->c, "x"), ERR_FORMAT);
	assert_foreign(f, !other);
}

/* Retiring, cut after its first write: RETIRED counts, and who comes next is told
 * that an image is left, which has to be retired before a new one is begun. */
static void test_retire_cut(void **state)
{
	struct fixture *f = *state;
	struct slot valid;
	int valid_place;

	make_valid(f);
	valid = f->c.slot;
	valid_place = f->c.place;
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	/* The first write went to the older place: the other one is as before. */
	assert_int_equal(f->c.place, valid_place);
	poke(f, valid_place, &valid);
	assert_ok(commit_load(&f->t, &f->c));
	assert_int_equal(f->c.slot.state, SLOT_RETIRED);
	assert_true(f->c.holds_image);
	assert_err(commit_begin(&f->t, &f->c, nonce_b, 1), ERR_REFUSED);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_int_equal(peek(f, valid_place).state, SLOT_RETIRED);
	assert_false(f->c.holds_image);
	assert_ok(commit_begin(&f->t, &f->c, nonce_b, 1));
}

/* A torn write of any number of sectors: damage, never another image. */
static void test_torn(void **state)
{
	struct fixture *f = *state;
	uint8_t old[SLOT_BYTES], new[SLOT_BYTES];
	struct slot s;

	make_valid(f);
	s = f->c.slot;
	slot_encode(&s, old);
	s.state = SLOT_RESUMING;
	s.generation += 2;
	memset(s.reason, 'q', 100);
	slot_encode(&s, new);
	for (size_t cut = 512; cut < SLOT_BYTES; cut += 512) {
		memcpy(old, new, cut);
		assert_int_equal(pwrite(f->file.fd, old, SLOT_BYTES, (off_t)place(!f->c.place)),
				 SLOT_BYTES);
		assert_ok(commit_load(&f->t, &f->c));
		assert_int_equal(f->c.slot.state, SLOT_VALID);
		assert_false(f->c.twin_good);
	}
}

static void test_resume_failed(void **state)
{
	struct fixture *f = *state;
	struct slot before;

	begin(f);
	assert_err(commit_resume_failed(&f->t, &f->c, "x"), ERR_REFUSED);
	assert_ok(commit_valid(&f->t, &f->c, &whole));
	before = f->c.slot;
	assert_ok(commit_resume_failed(&f->t, &f->c, "no disk"));
	assert_loaded(f, SLOT_VALID);
	assert_string_equal(f->c.slot.reason, "no disk");
	assert_int_equal(f->c.slot.failed_resumes, 1);
	assert_int_equal(peek(f, !f->c.place).generation, before.generation);
	assert_ok(commit_resume_failed(&f->t, &f->c, "again"));
	assert_int_equal(f->c.slot.failed_resumes, 2);
	/* The jump that RESUMING announced was not made. */
	assert_ok(commit_resuming(&f->t, &f->c));
	assert_ok(commit_resume_failed(&f->t, &f->c, "again"));
	assert_loaded(f, SLOT_VALID);
	assert_int_equal(f->c.slot.failed_resumes, 3);
}

/* A slot of a version to come: nobody knows which of the two counts. */
static void test_newer_version(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[SLOT_BYTES];
	le32_t v;

	make_valid(f);
	slot_encode(&f->c.slot, buf);
	v = le32_of(SLOT_VERSION + 1);
	memcpy(buf + 8, &v, sizeof(v));
	v = le32_of(crc32c(0, buf, SLOT_BYTES - 4));
	memcpy(buf + SLOT_BYTES - 4, &v, sizeof(v));
	assert_int_equal(pwrite(f->file.fd, buf, SLOT_BYTES, (off_t)place(!f->c.place)),
			 SLOT_BYTES);
	assert_err(commit_retire(&f->t, &f->c, "x"), ERR_UNSUPPORTED);
	assert_err(commit_begin(&f->t, &f->c, nonce_b, 1), ERR_UNSUPPORTED);
	assert_err(commit_load(&f->t, &f->c), ERR_UNSUPPORTED);
	assert_int_equal(f->c.slot.state, SLOT_EMPTY);
}

static void test_same_generation(void **state)
{
	struct fixture *f = *state;

	struct slot s;

	make_valid(f);
	s = f->c.slot;
	for (int i = 0; i < 2; i++) {
		s.state = SLOT_VALID;
		poke(f, i, &s);
		s.state = SLOT_RETIRED;
		poke(f, !i, &s);
		assert_ok(commit_load(&f->t, &f->c));
		assert_int_equal(f->c.slot.state, SLOT_RETIRED);
		assert_false(f->c.twin_good);
	}
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_loaded(f, SLOT_RETIRED);
	assert_true(f->c.twin_good);
}

static void test_unreadable(void **state)
{
	struct fixture *f = *state;

	make_valid(f);
	assert_int_equal(ftruncate(f->file.fd, SLOT_B_OFFSET), 0);
	if (f->c.place == 0) {
		assert_ok(commit_load(&f->t, &f->c));
		assert_int_equal(f->c.slot.state, SLOT_VALID);
		assert_false(f->c.twin_good);
	}
	assert_int_equal(ftruncate(f->file.fd, 0), 0);
	assert_err(commit_load(&f->t, &f->c), ERR_IO);
	assert_err(commit_begin(&f->t, &f->c, nonce_b, 1), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMMIT_TEST(test_fresh),
		COMMIT_TEST(test_begin),
		COMMIT_TEST(test_begin_over_image),
		COMMIT_TEST(test_begin_over_older_image),
		COMMIT_TEST(test_begin_over_damage),
		COMMIT_TEST(test_valid),
		COMMIT_TEST(test_valid_refused),
		COMMIT_TEST(test_nonce_changed),
		COMMIT_TEST(test_nonce_of_twin_changed),
		COMMIT_TEST(test_begun_in_one),
		COMMIT_TEST(test_resuming),
		COMMIT_TEST(test_retire),
		COMMIT_TEST(test_retire_with_stale_commit),
		COMMIT_TEST(test_twin_damaged),
		COMMIT_TEST(test_twin_damaged_resumed),
		COMMIT_TEST(test_retire_spares_foreign),
		COMMIT_TEST(test_retire_cut),
		COMMIT_TEST(test_torn),
		COMMIT_TEST(test_resume_failed),
		COMMIT_TEST(test_newer_version),
		COMMIT_TEST(test_same_generation),
		COMMIT_TEST(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
