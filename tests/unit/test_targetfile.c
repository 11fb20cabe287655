/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: a file that exists taken over; an empty one left behind when
 * there was no room; one that others may read; only the first byte looked at; only the
 * first 64 KiB, before which the superblocks of btrfs and reiserfs do not begin; blocks that
 * keep what another had in them before, in a file that is made, or there already; one slot of an
 * image enough to take it for given up; on btrfs copy on write left on, or turned off together
 * with compression, which that refuses. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/vfs.h>

static int refusal; /* errno; 0: do as asked */

static int fake_fallocate(int fd, int mode, off_t offset, off_t n)
{
	errno = refusal;
	return refusal ? -1 : fallocate(fd, mode, offset, n);
}

#include "base/io.h"
#include "base/util.h"
#include "host/disks/btrfschunks.c"
#include "host/disks/extentlist.c"
#include "host/disks/filemap.c"

/* As btrfs: of a file in a folder that is compressed, or is not to be. */
static struct {
	bool is;
	int flags;
} btrfs;

static int fake_fstatfs(int fd, struct statfs *out)
{
	int result = (fstatfs)(fd, out);

	if (btrfs.is)
		out->f_type = BTRFS_SUPER_MAGIC;
	return result;
}

/* fs/btrfs/ioctl.c, check_fsflags and btrfs_fileattr_set: one at a time. */
static int fake_ioctl(int fd, unsigned long request, int *flags)
{
	const int compression = FS_COMPR_FL | FS_NOCOMP_FL;

	assert_true(fd >= 0 && btrfs.is);
	if (request == FS_IOC_GETFLAGS) {
		*flags = btrfs.flags;
		return 0;
	}
	assert_true(request == FS_IOC_SETFLAGS);
	if (*flags & FS_NOCOW_FL && (*flags | btrfs.flags) & compression) {
		errno = EINVAL;
		return -1;
	}
	btrfs.flags = *flags;
	return 0;
}

#define ioctl(fd, request, flags)      fake_ioctl(fd, request, flags)
#define fstatfs(fd, out)	       fake_fstatfs(fd, out)
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

static void test_btrfs(void **state)
{
	static const int inherited[] = {0, FS_COMPR_FL, FS_NOCOMP_FL, FS_NOATIME_FL};
	char folder[] = "/tmp/dormouse-targetfile-XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/img", folder);
	for (size_t i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++) {
		btrfs.is = true;
		btrfs.flags = inherited[i];
		assert_ok(targetfile_create(path, 1 << 20));
		btrfs.is = false;
		assert_int_equal(btrfs.flags, FS_NOCOW_FL | (inherited[i] & FS_NOATIME_FL));
		unlink(path);
	}
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

static void put_slot(int fd, uint64_t at, enum slot_state state)
{
	const struct slot slot = {.state = state, .generation = 1};
	uint8_t buf[SLOT_BYTES];

	slot_encode(&slot, buf);
	assert_int_equal(pwrite(fd, buf, sizeof(buf), (off_t)at), sizeof(buf));
}

/* Of one whose beginning was written, the filesystem shows what images have left. */
static void test_given_up(void **state)
{
	char path[] = "/tmp/dormouse-targetfile-XXXXXX", byte;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(pwrite(fd, "x", 1, 100000), 1);
	put_slot(fd, SLOT_A_OFFSET, SLOT_RETIRED);
	assert_err(targetfile_check_empty(path), ERR_REFUSED);
	put_slot(fd, SLOT_B_OFFSET, SLOT_WRITING);
	assert_err(targetfile_check_empty(path), ERR_REFUSED);
	put_slot(fd, SLOT_B_OFFSET, SLOT_RETIRED);
	put_slot(fd, SLOT_A_OFFSET, SLOT_WRITING);
	assert_err(targetfile_check_empty(path), ERR_REFUSED);
	put_slot(fd, SLOT_A_OFFSET, SLOT_RETIRED);
	assert_ok(targetfile_check_empty(path));
	assert_ok(targetfile_clear(path));
	assert_int_equal(pread(fd, &byte, 1, 100000), 1);
	assert_int_equal(byte, 0);
	unlink(path);
	close(fd);
}

#define DISK_BYTES (48u << 20)

static void sh(const char *command)
{
	if (system(command))
		fail_msg("failed: %s", command);
}

/* What a boot reads there: the disk's bytes, not the file's. */
static void check_head(const char *disk, const char *path)
{
	CLEANUP_FREE uint8_t *head = malloc(LOOK_BYTES);
	CLEANUP_FILEMAP struct filemap m = {0};
	CLEANUP_CLOSE int fd = open(path, O_RDONLY), raw = open(disk, O_RDONLY);

	assert_true(head && fd >= 0 && raw >= 0);
	assert_ok(filemap_read(fd, path, false, &m));
	assert_true(m.extents.count && m.extents.list[0].length >= LOOK_BYTES);
	assert_ok(io_pread(raw, head, LOOK_BYTES, m.extents.list[0].start, disk));
	for (size_t i = 0; i < LOOK_BYTES; i++)
		if (head[i])
			fail_msg("%s: byte %zu is %#x", path, i, head[i]);
}

/* Another user fills the filesystem with what boots look for, and removes it. */
static void test_planted(void **state)
{
	char folder[] = "/tmp/dormouse-targetfile-XXXXXX", text[512], disk[64], path[64];
	int fd;

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_non_null(mkdtemp(folder));
	snprintf(disk, sizeof(disk), "%s.disk", folder);
	snprintf(text, sizeof(text),
		 "truncate -s %u %s && mkfs.ext4 -q -b 4096 %s && mount -o loop %s %s && "
		 "chmod 777 %s",
		 DISK_BYTES, disk, disk, disk, folder, folder);
	sh(text);
	snprintf(text, sizeof(text),
		 "! setpriv --reuid 65534 --clear-groups sh -c 'tr \"\\0\" D </dev/zero >%s/plant' "
		 "2>/dev/null && sync -f %s && rm %s/plant && sync -f %s",
		 folder, folder, folder, folder);
	sh(text);
	snprintf(path, sizeof(path), "%s/made", folder);
	assert_ok(targetfile_create(path, 8 << 20));
	check_head(disk, path);
	snprintf(path, sizeof(path), "%s/there", folder);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(fallocate(fd, 0, 0, 8 << 20), 0);
	close(fd);
	assert_ok(targetfile_check_empty(path));
	assert_ok(targetfile_clear(path));
	check_head(disk, path);
	assert_int_equal(umount2(folder, 0), 0);
	unlink(disk);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),	cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_empty),	cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_planted), cmocka_unit_test(test_btrfs),
	};

	return cmocka_run_group_tests_name("targetfile", tests, NULL, NULL);
}
