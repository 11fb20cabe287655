/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the two slots hold after each step, and after steps that were cut short.
 * Power cuts at every write and flush are tests/crash's.
 *
 * Planted faults that made it fail: the newer place written first in write_both;
 * a flush left out, anywhere; a read-back left out, or its result; nonce not
 * compared in medium_of_image; generation taken from *c; commit_retire
 * with one place only, or writing over a foreign one; commit_begin without the
 * check for an image; commit_valid without the check of the states; twin_good
 * always true; a newer version's slot ignored.
 */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "image/commit.h"
#include "tempfile.h"

#include <errno.h>
#include <sys/syscall.h>

#define TARGET_BYTES (64u << 10)

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

/*
 * What the code under test does to the medium: these take the place of libc's.
 * A letter for each: a, b: slot read; A, B: slot written; |: flushed.
 */
static char ops[64];
static int fail_at = -1; /* the operation of this number fails with EIO */
static int lose_at = -1; /* the write of this number reaches nothing, and says it did */

ssize_t pread(int fd, void *buf, size_t n, off_t offset);
ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset);
int fsync(int fd);

static bool op(char letter)
{
	size_t i = strlen(ops);

	if (i + 1 < sizeof(ops))
		ops[i] = letter;
	errno = EIO;
	return (int)i != fail_at;
}

static void ops_reset(int fail, int lose)
{
	memset(ops, 0, sizeof(ops));
	fail_at = fail;
	lose_at = lose;
}

ssize_t pread(int fd, void *buf, size_t n, off_t offset)
{
	return op(offset == SLOT_A_OFFSET ? 'a' : 'b') ? syscall(SYS_pread64, fd, buf, n, offset)
						       : -1;
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset)
{
	if (!op(offset == SLOT_A_OFFSET ? 'A' : 'B'))
		return -1;
	if ((int)strlen(ops) - 1 == lose_at)
		return (ssize_t)n;
	return syscall(SYS_pwrite64, fd, buf, n, offset);
}

int fsync(int fd)
{
	return op('|') ? (int)syscall(SYS_fsync, fd) : -1;
}

struct fixture {
	struct tempfile file;
	struct target t;
	struct commit c;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	ops_reset(-1, -1);
	tempfile_open(&f->file, TARGET_BYTES);
	assert_ok(target_open(&f->t, f->file.path, true, false));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	target_close(&f->t);
	tempfile_close(&f->file);
	free(f);
	return 0;
}

static uint64_t place(int which)
{
	return which ? SLOT_B_OFFSET : SLOT_A_OFFSET;
}

/* What one slot holds, behind the back of the code under test. */
static struct slot peek(struct fixture *f, int which)
{
	uint8_t buf[SLOT_BYTES];
	struct slot s;

	assert_int_equal(pread(f->file.fd, buf, sizeof(buf), (off_t)place(which)), SLOT_BYTES);
	assert_ok(slot_decode(buf, &s));
	return s;
}

static void poke(struct fixture *f, int which, const struct slot *s)
{
	uint8_t buf[SLOT_BYTES];

	slot_encode(s, buf);
	assert_int_equal(pwrite(f->file.fd, buf, sizeof(buf), (off_t)place(which)), SLOT_BYTES);
}

static void damage(struct fixture *f, int which)
{
	tempfile_flip(&f->file, place(which) + 700, 1);
}

/* Something that is no superblock: a swapped-out page. */
static void overwrite(struct fixture *f, int which)
{
	uint8_t page[SLOT_BYTES];

	memset(page, 'x', sizeof(page));
	assert_int_equal(pwrite(f->file.fd, page, sizeof(page), (off_t)place(which)), SLOT_BYTES);
}

static void assert_foreign(struct fixture *f, int which)
{
	uint8_t page[SLOT_BYTES];

	assert_int_equal(pread(f->file.fd, page, sizeof(page), (off_t)place(which)), SLOT_BYTES);
	for (size_t i = 0; i < sizeof(page); i++)
		assert_int_equal(page[i], 'x');
}

/* *c says what a fresh look at the medium says. */
static void assert_loaded(struct fixture *f, enum slot_state state)
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

static void begin(struct fixture *f)
{
	assert_ok(commit_begin(&f->t, &f->c, nonce_a, 1700000000));
}

static void make_valid(struct fixture *f)
{
	begin(f);
	assert_ok(commit_valid(&f->t, &f->c, &whole));
}

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

/* One slot of another image suffices to refuse, also the older one. */
static void test_nonce_of_twin_changed(void **state)
{
	struct fixture *f = *state;
	struct slot s;

	make_valid(f);
	s = peek(f, !f->c.place);
	memcpy(s.nonce, nonce_b, NONCE_BYTES);
	poke(f, !f->c.place, &s);
	assert_err(commit_resuming(&f->t, &f->c), ERR_REFUSED);
	assert_err(commit_retire(&f->t, &f->c, "x"), ERR_REFUSED);
	assert_int_equal(peek(f, !f->c.place).generation, s.generation);
	assert_ok(commit_load(&f->t, &f->c));
	assert_false(f->c.twin_good);
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

/* A target that cannot be written: each says so. */
static void test_write_error(void **state)
{
	struct fixture *f = *state;
	struct target ro;

	make_valid(f);
	assert_ok(target_open(&ro, f->file.path, false, false));
	assert_err(commit_resuming(&ro, &f->c), ERR_IO);
	assert_err(commit_retire(&ro, &f->c, "x"), ERR_IO);
	assert_err(commit_resume_failed(&ro, &f->c, "x"), ERR_IO);
	assert_loaded(f, SLOT_VALID);
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_err(commit_begin(&ro, &f->c, nonce_b, 1), ERR_IO);
	target_close(&ro);
}

enum step { BEGIN, VALID, RESUMING, RETIRE, RESUME_FAILED, STEPS };

/* An image that the step can be done to. */
static void prepare(struct fixture *f, enum step step)
{
	ops_reset(-1, -1);
	overwrite(f, 0);
	overwrite(f, 1);
	begin(f);
	if (step > VALID)
		assert_ok(commit_valid(&f->t, &f->c, &whole));
	if (step == BEGIN)
		assert_ok(commit_retire(&f->t, &f->c, "x"));
}

static err_t do_step(struct fixture *f, struct commit *c, enum step step)
{
	switch (step) {
	case BEGIN:
		return commit_begin(&f->t, c, nonce_b, 1);
	case VALID:
		return commit_valid(&f->t, c, &whole);
	case RESUMING:
		return commit_resuming(&f->t, c);
	case RETIRE:
		return commit_retire(&f->t, c, "x");
	default:
		return commit_resume_failed(&f->t, c, "x");
	}
}

/* "o" the older place, "n" the newer: written, in capitals. */
static const char *const order[STEPS] = {
	[BEGIN] = "ab|O|N|",	[VALID] = "ab|O|o",	 [RESUMING] = "ab|O|N|",
	[RETIRE] = "ab|O|oN|n", [RESUME_FAILED] = "ab|O|",
};

/* Each step does these operations in this order, and no others. */
static void test_order(void **state)
{
	struct fixture *f = *state;

	for (enum step s = 0; s < STEPS; s++)
		for (int again = 0; again < 2; again++) {
			char want[64];

			prepare(f, s);
			snprintf(want, sizeof(want), "%s", order[s]);
			for (char *p = want; *p; p++) {
				bool newer = (*p | 0x20) == 'n';

				if ((*p | 0x20) == 'n' || (*p | 0x20) == 'o')
					*p = (char)((*p & 0x20) |
						    ((newer ? f->c.place : !f->c.place) ? 'B'
											: 'A'));
			}
			ops_reset(-1, -1);
			assert_ok(do_step(f, &f->c, s));
			assert_string_equal(ops, want);
		}
}

/* Any operation that fails fails the step, but for reading a slot of an image
 * whose other one is good; *c stays as it was. */
static void test_failed_operation(void **state)
{
	struct fixture *f = *state;

	for (enum step s = 0; s < STEPS; s++)
		for (int n = 0; n < (int)strlen(order[s]); n++) {
			struct commit c;
			err_t e;

			prepare(f, s);
			c = f->c;
			ops_reset(n, -1);
			e = do_step(f, &c, s);
			ops_reset(-1, -1);
			if (n < 2 && s >= RESUMING) {
				err_free(e); /* by which of the two it was */
			} else {
				assert_err(e, n < 2 && s == VALID ? ERR_REFUSED : ERR_IO);
				assert_memory_equal(&c, &f->c, sizeof(c));
			}
			assert_ok(commit_load(&f->t, &f->c));
		}
}

/* The second of both places is retired although the first could not be. */
static void test_retire_half(void **state)
{
	struct fixture *f = *state;

	for (int n = 3; n < 5; n++) {
		prepare(f, RETIRE);
		ops_reset(n, -1);
		assert_err(commit_retire(&f->t, &f->c, "x"), ERR_IO);
		assert_int_equal(peek(f, f->c.place).state, SLOT_RETIRED);
		assert_ok(commit_load(&f->t, &f->c));
		assert_int_equal(f->c.slot.state, SLOT_RETIRED);
	}
}

/* A device that says yes and does nothing. */
static void test_lost_write(void **state)
{
	static const struct {
		enum step step;
		int write;
	} cases[] = {{VALID, 3}, {RETIRE, 3}, {RETIRE, 6}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		prepare(f, cases[i].step);
		ops_reset(-1, cases[i].write);
		assert_err(do_step(f, &f->c, cases[i].step), ERR_IO);
		ops_reset(-1, -1);
		assert_ok(commit_load(&f->t, &f->c));
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_fresh),
		T(test_begin),
		T(test_begin_over_image),
		T(test_begin_over_older_image),
		T(test_begin_over_damage),
		T(test_valid),
		T(test_valid_refused),
		T(test_nonce_changed),
		T(test_nonce_of_twin_changed),
		T(test_resuming),
		T(test_retire),
		T(test_retire_with_stale_commit),
		T(test_twin_damaged),
		T(test_twin_damaged_resumed),
		T(test_retire_spares_foreign),
		T(test_retire_cut),
		T(test_torn),
		T(test_resume_failed),
		T(test_newer_version),
		T(test_same_generation),
		T(test_unreadable),
		T(test_write_error),
		T(test_order),
		T(test_failed_operation),
		T(test_retire_half),
		T(test_lost_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
