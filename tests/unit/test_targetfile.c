/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: a file that exists taken over; an empty one left behind when
 * there was no room; one that others may read; only the first byte looked at; only the
 * first 64 KiB, before which the superblocks of btrfs and reiserfs do not begin. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>

static int refusal; /* errno; 0: do as asked */

static int fake_fallocate(int fd, int mode, off_t offset, off_t n)
{
	errno = refusal;
	return refusal ? -1 : fallocate(fd, mode, offset, n);
}

#define fallocate(fd, mode, offset, n) fake_fallocate(fd, mode, offset, n)
#include "host/disks/targetfile.c"

static void test_create(void **state)
{
	char folder[] = "/tmp/dormouse-targetfile-XXXXXX", path[64];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/img", folder);
	umask(0);
	assert_ok(targetfile_create(path, 1 << 20));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 1 << 20);
	assert_true(st.st_blocks >= (1 << 20) / 512);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_err(targetfile_create(path, 2 << 20), ERR_REFUSED);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 1 << 20);
	unlink(path);
	assert_true(unit_is_err(targetfile_create(path, 1ull << 60)));
	assert_int_equal(rmdir(folder), 0);
}

static void expect_refusal(int no, enum err_kind kind, const char *text)
{
	char folder[] = "/tmp/dormouse-targetfile-XXXXXX", path[64];
	err_t e;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/img", folder);
	refusal = no;
	e = targetfile_create(path, 5 << 20);
	refusal = 0;
	assert_non_null(e);
	assert_int_equal(err_kind(e), kind);
	assert_non_null(strstr(err_text(e), text));
	err_free(e);
	assert_int_equal(rmdir(folder), 0);
}

static void test_refusals(void **state)
{
	(void)state;
	expect_refusal(ENOSPC, ERR_NOSPACE, "no 5 MiB free");
	expect_refusal(EOPNOTSUPP, ERR_REFUSED, "/img bs=1M count=5)");
	expect_refusal(EIO, ERR_IO, "allocating 5 MiB");
}

static void test_empty(void **state)
{
	char path[] = "/tmp/dormouse-targetfile-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_ok(targetfile_check_empty(path));
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_ok(targetfile_check_empty(path));
	assert_int_equal(pwrite(fd, "_BHRfS_M", 8, 65536 + 64), 8);
	assert_err(targetfile_check_empty(path), ERR_REFUSED);
	assert_int_equal(pwrite(fd, "\0\0\0\0\0\0\0", 8, 65536 + 64), 8);
	assert_ok(targetfile_check_empty(path));
	assert_int_equal(pwrite(fd, "x", 1, (1 << 20) - 1), 1);
	assert_err(targetfile_check_empty(path), ERR_REFUSED);
	unlink(path);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests_name("targetfile", tests, NULL, NULL);
}
