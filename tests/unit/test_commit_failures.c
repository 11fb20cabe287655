/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operations of each step, in their order, and what comes of each that fails
 * or is lost.
 *
 * Planted faults that made it fail: the newer place written first in write_both;
 * a flush left out, anywhere; a read-back left out, or its result, of page 0 too; VALID
 * before the mark of swap; the sealed key overwritten before RETIRED, not flushed, or not
 * read back; the locator put back although the key could not be wiped; the key left when the
 * superblock that says where it lies cannot be read; one that cannot be read taken for a
 * damaged one.
 */
#include "commitfixture.h"

#include <errno.h>
#include <sys/syscall.h>

/*
 * What the code under test does to the medium: these take the place of libc's.
 * A letter for each: a, b: slot read; A, B: slot written; p, P: page 0; k, K: the sealed
 * key; |: flushed.
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

static char letter_of(off_t offset)
{
	switch (offset) {
	case 0:
		return 'p';
	case SLOT_A_OFFSET:
		return 'a';
	case KEY_AT:
		return 'k';
	default:
		return 'b';
	}
}

ssize_t pread(int fd, void *buf, size_t n, off_t offset)
{
	return op(letter_of(offset)) ? syscall(SYS_pread64, fd, buf, n, offset) : -1;
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset)
{
	if (!op((char)(letter_of(offset) & ~0x20)))
		return -1;
	if ((int)strlen(ops) - 1 == lose_at)
		return (ssize_t)n;
	return syscall(SYS_pwrite64, fd, buf, n, offset);
}

int fsync(int fd)
{
	return op('|') ? (int)syscall(SYS_fsync, fd) : -1;
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

enum kind { PLAIN, SWAP, LOCATED, SEALED, SEALED_LOCATED, KINDS };

static bool is_sealed(enum kind kind)
{
	return kind == SEALED || kind == SEALED_LOCATED;
}

static bool is_located(enum kind kind)
{
	return kind == LOCATED || kind == SEALED_LOCATED;
}

enum step { BEGIN, VALID, RESUMING, RETIRE, RESUME_FAILED, FINISH, STEPS };

static struct slot image_of(const struct fixture *f, enum kind kind)
{
	return is_sealed(kind) ? sealed_slot(f) : whole;
}

/* Both slots say RETIRED, and then the power was cut. */
static void cut_retiring(struct fixture *f, enum kind kind)
{
	uint8_t page0[SWAPHEADER_BYTES];

	assert_int_equal(pread(f->file.fd, page0, sizeof(page0), 0), sizeof(page0));
	assert_ok(commit_retire(&f->t, &f->c, "x"));
	assert_int_equal(pwrite(f->file.fd, page0, sizeof(page0), 0), sizeof(page0));
	if (is_sealed(kind))
		put_key(f, KEY_AT, nonce_a);
	assert_ok(commit_load(&f->t, &f->c));
}

/* An image that the step can be done to. */
static void prepare(struct fixture *f, enum step step, enum kind kind)
{
	struct slot image;

	ops_reset(-1, -1);
	unlocate(f);
	set_page0(f, kind == SWAP || is_located(kind) ? "SWAPSPACE2" : "no swap...");
	overwrite(f, 0);
	overwrite(f, 1);
	if (is_located(kind))
		locate(f, nonce_a);
	begin(f);
	image = image_of(f, kind);
	put_key(f, KEY_AT, nonce_a);
	if (step > VALID)
		assert_ok(commit_valid(&f->t, &f->c, &image));
	if (step == FINISH)
		cut_retiring(f, kind);
	if (step == BEGIN)
		assert_ok(commit_retire(&f->t, &f->c, "x"));
	if (step == BEGIN && is_located(kind))
		locate(f, nonce_b);
}

static err_t do_step(struct fixture *f, struct commit *c, enum step step, enum kind kind)
{
	struct slot image = image_of(f, kind);

	switch (step) {
	case BEGIN:
		return commit_begin(&f->t, c, nonce_b, 1);
	case VALID:
		return commit_valid(&f->t, c, &image);
	case RESUMING:
		return commit_resuming(&f->t, c);
	case RETIRE:
		return commit_retire(&f->t, c, "x");
	case FINISH:
		return commit_finish(&f->t, c);
	default:
		return commit_resume_failed(&f->t, c, "x");
	}
}

/* "o" the older place, "n" the newer: written, in capitals. The second row is of a
 * swap area; in the third, page 0 is that of the area which the target is slots of. An
 * image that is not sealed has nothing to finish where there is no page 0. */
static const char *const order[KINDS][STEPS] = {
	[PLAIN] =
		{
			[BEGIN] = "abp|O|N|",
			[VALID] = "abp|O|o",
			[RESUMING] = "abp|O|N|",
			[RETIRE] = "abp|O|oN|n",
			[RESUME_FAILED] = "abp|O|",
			[FINISH] = "",
		},
	[SWAP] =
		{
			[BEGIN] = "abpp||O|N|",
			[VALID] = "abp|pP|pO|o",
			[RESUMING] = "abp|O|N|",
			[RETIRE] = "abp|O|oN|npP|p",
			[RESUME_FAILED] = "abp|O|",
			[FINISH] = "|pP|p",
		},
	[LOCATED] =
		{
			/* Nothing of an older image counts, so either may be the first. */
			[BEGIN] = "abpp||A|B|",
			[VALID] = "abp|pP|pO|o",
			[RESUMING] = "abp|O|N|",
			[RETIRE] = "abp|O|oN|npP|p",
			[RESUME_FAILED] = "abp|O|",
			[FINISH] = "|pP|p",
		},
	[SEALED] =
		{
			[BEGIN] = "abp|O|N|",
			[VALID] = "abp|O|o",
			[RESUMING] = "abp|O|N|",
			[RETIRE] = "abp|O|oN|nkK|k",
			[RESUME_FAILED] = "abp|O|",
			[FINISH] = "k|kK|k",
		},
	[SEALED_LOCATED] =
		{
			[BEGIN] = "abpp||A|B|",
			[VALID] = "abp|pP|pO|o",
			[RESUMING] = "abp|O|N|",
			[RETIRE] = "abp|O|oN|nkK|kpP|p",
			[RESUME_FAILED] = "abp|O|",
			[FINISH] = "k|kK|kpP|p",
		},
};

/* Each step does these operations in this order, and no others. */
static void test_order(void **state)
{
	struct fixture *f = *state;

	for (enum step s = 0; s < STEPS; s++)
		for (enum kind k = 0; k < KINDS; k++) {
			char want[64];

			prepare(f, s, k);
			snprintf(want, sizeof(want), "%s", order[k][s]);
			for (char *p = want; *p; p++) {
				bool newer = (*p | 0x20) == 'n';

				if ((*p | 0x20) == 'n' || (*p | 0x20) == 'o')
					*p = (char)((*p & 0x20) |
						    ((newer ? f->c.place : !f->c.place) ? 'B'
											: 'A'));
			}
			ops_reset(-1, -1);
			assert_ok(do_step(f, &f->c, s, k));
			assert_string_equal(ops, want);
		}
}

/* May the step go on although reading this failed? A slot whose other one is good,
 * and page 0 where it does not matter, or is read once more. */
static bool may_go_on(enum step s, int n, enum kind k)
{
	if (s == FINISH)
		return false;
	if (n == 2)
		return s != BEGIN && !((k == SWAP || is_located(k)) && s == RESUMING);
	return n < 2 && s >= RESUMING;
}

static void assert_key_wiped(struct fixture *f)
{
	static const uint8_t zero[KEYBLOCK_BYTES];
	uint8_t block[KEYBLOCK_BYTES];

	assert_int_equal(syscall(SYS_pread64, f->file.fd, block, sizeof(block), KEY_AT),
			 KEYBLOCK_BYTES);
	assert_memory_equal(block, zero, sizeof(zero));
}

static void fail_operation(struct fixture *f, enum step s, int n, enum kind k)
{
	struct commit c;
	err_t e;

	prepare(f, s, k);
	c = f->c;
	ops_reset(n, -1);
	e = do_step(f, &c, s, k);
	/* Without its locator nobody would find the key any more. */
	if (is_sealed(k) && (s == RETIRE || s == FINISH) &&
	    (!e || (is_located(k) && strchr(ops, 'P'))))
		assert_key_wiped(f);
	ops_reset(-1, -1);
	if (may_go_on(s, n, k)) {
		err_free(e); /* by which of the two it was */
	} else {
		assert_err(e, n < 2 && s == VALID ? ERR_REFUSED : ERR_IO);
		assert_memory_equal(&c, &f->c, sizeof(c));
	}
	/* None of the slots of a new map is there yet when not even one was written. */
	e = commit_load(&f->t, &f->c);
	assert_true(!e || (is_located(k) && s == BEGIN && err_kind(e) == ERR_FORMAT));
	err_free(e);
}

/* Any other operation that fails fails the step; *c stays as it was. */
static void test_failed_operation(void **state)
{
	for (enum kind k = 0; k < KINDS; k++)
		for (enum step s = 0; s < STEPS; s++)
			for (int n = 0; n < (int)strlen(order[k][s]); n++)
				fail_operation(*state, s, n, k);
}

/* A superblock that cannot be read may be the newer one; one that is damaged says nothing. */
static void test_unreadable(void **state)
{
	struct fixture *f = *state;
	struct commit c;

	prepare(f, VALID, PLAIN);
	for (int n = 0; n < 2; n++) {
		ops_reset(n, -1);
		assert_ok(commit_load(&f->t, &c));
		assert_int_equal(c.slot.state, SLOT_WRITING);
		assert_true(c.unreadable && !c.twin_good);
	}
	ops_reset(-1, -1);
	assert_ok(commit_load(&f->t, &c));
	assert_false(c.unreadable);
	damage(f, 0);
	assert_ok(commit_load(&f->t, &c));
	assert_true(!c.unreadable && !c.twin_good);
}

/* The second of both places is retired although the first could not be. */
static void test_retire_half(void **state)
{
	struct fixture *f = *state;

	for (int n = 4; n < 6; n++) {
		prepare(f, RETIRE, PLAIN);
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
		enum kind kind;
	} cases[] = {{VALID, 4, PLAIN},	  {RETIRE, 4, PLAIN},	{RETIRE, 7, PLAIN},
		     {VALID, 5, SWAP},	  {VALID, 8, SWAP},	{RETIRE, 11, SWAP},
		     {VALID, 5, LOCATED}, {VALID, 8, LOCATED},	{RETIRE, 11, LOCATED},
		     {FINISH, 2, SWAP},	  {FINISH, 2, LOCATED}, {RETIRE, 11, SEALED},
		     {FINISH, 3, SEALED}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		prepare(f, cases[i].step, cases[i].kind);
		ops_reset(-1, cases[i].write);
		assert_err(do_step(f, &f->c, cases[i].step, cases[i].kind), ERR_IO);
		ops_reset(-1, -1);
		assert_ok(commit_load(&f->t, &f->c));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMMIT_TEST(test_write_error),	    COMMIT_TEST(test_order),
		COMMIT_TEST(test_failed_operation), COMMIT_TEST(test_retire_half),
		COMMIT_TEST(test_unreadable),	    COMMIT_TEST(test_lost_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
