/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: FUSE with a device (ntfs-3g) let through; what is not known let
 * through; memory refused; another mount's device given; high minor numbers cut off; btrfs' file
 * not found by its path; a path that leads to another file believed.
 */
#include "unit.h"

#include "host/disks/loopfile.c"
#include "host/disks/mounts.c"

#define TEXT                                                                                       \
	"27 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n"                                          \
	"30 27 0:21 / /tmp rw - tmpfs tmpfs rw\n"                                                  \
	"31 27 8:17 / /win rw - fuseblk /dev/sdb1 rw\n"                                            \
	"32 27 0:44 / /pool rw - fuse.mergerfs a:b rw\n"                                           \
	"33 27 0:45 / /nfs rw - nfs4 server:/x rw\n"                                               \
	"34 27 0:46 / /over rw - overlay overlay rw\n"                                             \
	"35 27 0:47 /sub /data rw - btrfs /dev/nothing-there rw\n"                                 \
	"36 27 8:300 / /far rw - xfs /dev/sdzz rw\n"

void stack_name(dev_t dev, char *name, size_t n)
{
	(void)dev;
	snprintf(name, n, "?");
}

static void expect_refused(const struct mounts *m, dev_t superblock, const char *text)
{
	dev_t dev;
	err_t e = loopfile_judge(m, superblock, "/x/file", &dev);

	assert_non_null(e);
	assert_int_equal(err_kind(e), ERR_REFUSED);
	if (!strstr(err_text(e), text) || !strstr(err_text(e), "/x/file"))
		fail_msg("%s", err_text(e));
	err_free(e);
}

static void expect_on(const struct mounts *m, dev_t superblock, dev_t device)
{
	dev_t dev = 1;

	assert_ok(loopfile_judge(m, superblock, "/x/file", &dev));
	assert_true(dev == device);
}

static void judged(void **state)
{
	struct mounts m;

	(void)state;
	assert_ok(parse_take(strdup(TEXT), EVERY, &m));
	expect_on(&m, makedev(254, 0), makedev(254, 0));
	expect_on(&m, makedev(0, 21), 0);
	expect_on(&m, makedev(0, 47), 0);
	expect_on(&m, makedev(8, 300), makedev(8, 300));
	expect_refused(&m, makedev(8, 17), "fuseblk");
	expect_refused(&m, makedev(0, 44), "fuse.mergerfs on /pool");
	expect_refused(&m, makedev(0, 45), "nfs4");
	expect_refused(&m, makedev(0, 46), "overlay");
	expect_refused(&m, makedev(0, 99), "cannot be told");
	mounts_free(&m);
}

/* As the kernel packs it. */
static uint64_t encode_dev(unsigned int major, unsigned int minor)
{
	return (minor & 0xff) | (major << 8) | (uint64_t)(minor & ~0xffu) << 12;
}

static void numbers(void **state)
{
	(void)state;
	assert_true(decode_dev(encode_dev(254, 3)) == makedev(254, 3));
	assert_true(decode_dev(encode_dev(259, 70000)) == makedev(259, 70000));
}

/* Its st_dev is no superblock's, but its mount's number is known. */
static void by_path(void **state)
{
	struct mount mine = {.superblock = makedev(0, 47), .path = "/data", .type = "btrfs"};
	struct mounts m = {.count = 1, .m = &mine};
	struct loop_info64 info = {0};
	char path[] = "/tmp/dormouse-loopfile-XXXXXX";
	int fd = mkstemp(path);
	struct statx sx;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &sx), 0);
	mine.id = (unsigned int)sx.stx_mnt_id;
	info.lo_device = encode_dev(sx.stx_dev_major, sx.stx_dev_minor);
	info.lo_inode = sx.stx_ino;
	assert_true(superblock_of(&info, path, &m) == makedev(0, 47));
	info.lo_inode++;
	assert_true(superblock_of(&info, path, &m) == makedev(sx.stx_dev_major, sx.stx_dev_minor));
	info.lo_inode--;
	info.lo_device++;
	assert_true(superblock_of(&info, path, &m) != makedev(0, 47));
	unlink(path);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judged),
		cmocka_unit_test(numbers),
		cmocka_unit_test(by_path),
	};

	return cmocka_run_group_tests_name("loopfile", tests, NULL, NULL);
}
