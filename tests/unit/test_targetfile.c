/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: a file that exists taken over; an empty one left behind when
 * there was no room; one that others may read; only the first byte looked at; only the
 * first 64 KiB, before which the superblocks of btrfs and reiserfs do not begin. */
#include "unit.h"

#include "host/targetfile.c"

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
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests_name("targetfile", tests, NULL, NULL);
}
