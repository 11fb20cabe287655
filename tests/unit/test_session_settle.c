/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Slots of a swap area as the target, and a disk that fails after the return. Faults
 * planted, each found: a locator that is left taken for done; one try only; the sector kept
 * although it was put back; kept under another place; nothing kept where the image could
 * not be retired either, or page 0 could not be read; RETIRED in one slot taken for both; a
 * sealed key that is left passed over in silence.
 */
#include "commitfixture.h"

#include "host/session/session_settle.c"

#include <errno.h>
#include <sys/syscall.h>

/* libc's, with a bad place: accesses that begin there fail, so many times. */
static off_t bad_place = -1;
static int bad_reads, bad_writes;
static int tries;

ssize_t pread(int fd, void *buf, size_t n, off_t offset);
ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset);
int usleep(useconds_t n);

static bool is_bad(off_t offset, int *left)
{
	errno = EIO;
	return offset == bad_place && *left && (*left)--;
}

ssize_t pread(int fd, void *buf, size_t n, off_t offset)
{
	return is_bad(offset, &bad_reads) ? -1 : syscall(SYS_pread64, fd, buf, n, offset);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset)
{
	return is_bad(offset, &bad_writes) ? -1 : syscall(SYS_pwrite64, fd, buf, n, offset);
}

int usleep(useconds_t n)
{
	(void)n;
	tries++;
	return 0;
}

static struct keptsector kept;
static int kept_count;
static bool cannot_keep;

err_t keptsector_save(const struct keptsector_where *where, const struct keptsector *k)
{
	assert_null(where);
	if (cannot_keep)
		return err_new(ERR_IO, "no room");
	kept = *k;
	kept_count++;
	return NULL;
}

/* Back from the writer, with VALID on the medium. */
static struct session *make(struct fixture *f)
{
	struct session *s = calloc(1, sizeof(*s));

	bad_place = -1;
	tries = kept_count = 0;
	cannot_keep = false;
	unlocate(f);
	overwrite(f, 0);
	overwrite(f, 1);
	set_page0(f, "SWAPSPACE2");
	locate(f, nonce_a);
	make_valid(f);
	s->target = f->t;
	s->begun = true;
	memcpy(s->nonce, nonce_a, NONCE_BYTES);
	strcpy(s->location.name, "/dev/swap");
	strcpy(s->location.pin.target, "/dev/swap");
	return s;
}

static void break_at(off_t place, int reads, int writes)
{
	bad_place = place;
	bad_reads = reads;
	bad_writes = writes;
}

static enum commit_page0 page0(struct fixture *f)
{
	struct commit c;

	break_at(-1, 0, 0);
	err_free(commit_load(&f->t, &c));
	return c.page0;
}

static void test_good(void **state)
{
	struct session *s = make(*state);

	assert_ok(session_settle(s, "returned"));
	assert_false(s->begun);
	assert_ok(session_keep_sector(s));
	assert_int_equal(kept_count, 0);
	assert_int_equal(tries, 0);
	assert_int_equal(page0(*state), PAGE0_SWAP);
	free(s);
}

/* The disk comes back in time. */
static void test_again(void **state)
{
	struct session *s = make(*state);

	break_at(0, 0, 3);
	assert_ok(session_settle(s, "returned"));
	assert_ok(session_keep_sector(s));
	assert_int_equal(tries, 3);
	assert_int_equal(kept_count, 0);
	assert_int_equal(page0(*state), PAGE0_SWAP);
	free(s);
}

/* Page 0 cannot be written, or not even read: it is kept, and can be put back when the
 * area has been swapped to. */
static void test_kept(void **state)
{
	struct fixture *f = *state;

	for (int reads = 0; reads < 2; reads++) {
		struct session *s = make(f);
		bool due = false;

		break_at(0, reads ? 100000 : 0, 100000);
		assert_ok(session_settle(s, "returned"));
		assert_false(s->begun);
		assert_ok(session_keep_sector(s));
		assert_int_equal(kept_count, 1);
		assert_ok(session_keep_sector(s)); /* once is enough */
		assert_int_equal(kept_count, 1);
		assert_string_equal(kept.pin.target, "/dev/swap");
		assert_int_equal(page0(f), PAGE0_MARKED);
		tempfile_flip(&f->file, 12288 + 100, 1);
		overwrite(f, 0);
		overwrite(f, 1);
		unlocate(f);
		assert_ok(located_kept_due(&f->t, &kept.kept, &due));
		assert_true(due);
		assert_ok(located_put_back(&f->t, &kept.kept));
		assert_ok(located_kept_due(&f->t, &kept.kept, &due));
		assert_false(due);
		assert_ok(commit_begin(&f->t, &f->c, nonce_b, 1)); /* as the area that it is */
		free(s);
	}
}

static void test_cannot_keep(void **state)
{
	struct session *s = make(*state);
	err_t e;

	break_at(0, 0, 100000);
	cannot_keep = true;
	assert_ok(session_settle(s, "returned"));
	e = session_keep_sector(s);
	assert_true(e && strstr(err_text(e), "mkswap"));
	err_free(e);
	free(s);
}

/* Not even retired: nobody may resume it, so its locator is to go, too. */
static void test_not_retired(void **state)
{
	struct fixture *f = *state;
	struct session *s = make(f);

	break_at((off_t)place(f->c.place), 0, 100000);
	assert_err(session_settle(s, "returned"), ERR_IO);
	assert_true(s->begun);
	assert_ok(session_keep_sector(s));
	assert_int_equal(kept_count, 1);
	free(s);
}

/* A target without a locator has no sector to keep. */
static void test_device(void **state)
{
	struct fixture *f = *state;
	struct session *s = make(f);

	unlocate(f);
	overwrite(f, 0);
	overwrite(f, 1);
	set_page0(f, "nothing...");
	make_valid(f);
	s->target = f->t;
	break_at((off_t)place(f->c.place), 0, 100000);
	assert_err(session_settle(s, "returned"), ERR_IO);
	assert_ok(session_keep_sector(s));
	assert_int_equal(kept_count, 0);
	break_at(-1, 0, 0);
	assert_ok(session_settle(s, "returned"));
	for (int i = 0; i < 2; i++)
		assert_int_equal(peek(f, i).state, SLOT_RETIRED);
	free(s);
}

/* RETIRED stands, and the sealed key does not go: tried again, and not in silence. */
static void test_key_left(void **state)
{
	struct fixture *f = *state;

	for (int good = 1; good >= 0; good--) { /* what is logged stays */
		struct session *s = make(f);
		struct slot slot;

		unlocate(f);
		overwrite(f, 0);
		overwrite(f, 1);
		set_page0(f, "nothing...");
		begin(f);
		put_key(f, KEY_AT, nonce_a);
		slot = sealed_slot(f);
		assert_ok(commit_valid(&f->t, &f->c, &slot));
		s->target = f->t;
		break_at(KEY_AT, 0, good ? 3 : 100000);
		assert_ok(session_settle(s, "returned"));
		assert_false(s->begun);
		assert_int_equal(tries, good ? 3 : TRIES);
		assert_int_equal(!strstr(log_tail(), "not cleaned up: wiping the sealed key"),
				 good);
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMMIT_TEST(test_good),	       COMMIT_TEST(test_again),
		COMMIT_TEST(test_kept),	       COMMIT_TEST(test_cannot_keep),
		COMMIT_TEST(test_not_retired), COMMIT_TEST(test_device),
		COMMIT_TEST(test_key_left),
	};

	return cmocka_run_group_tests_name("session_settle", tests, NULL, NULL);
}
