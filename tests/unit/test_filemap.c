/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: shared or compressed extents let through; unwritten ones
 * refused; a hole overlooked, in the middle and at the end; only the first 512 extents
 * read; what is behind the end of the file kept; fsync on a frozen filesystem; a file of
 * which the name was taken by another; a file in an encrypted folder taken.
 */
#include "unit.h"

#include <linux/btrfs.h>
#include <linux/fiemap.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/util.h"
#include "host/disks/extentlist.c"

/* A kernel that has one file of so many blocks, an extent of each, not next to each other. */
static struct {
	uint64_t blocks, hole; /* no extent has this block */
	uint32_t flags, xflags;
	uint64_t attributes;
	long type;
	bool synced;
	bool removed, replaced;
} file;

static void fake_fiemap(struct fiemap *m);

static int fake_ioctl(int fd, unsigned long request, void *arg);

static int fake_fstatfs(int fd, struct statfs *out)
{
	(void)fd;
	*out = (struct statfs){.f_type = file.type};
	return 0;
}

static int fake_fstat(int fd, struct stat *out)
{
	(void)fd;
	*out = (struct stat){
		.st_dev = 0xfe00, .st_ino = 7, .st_size = (off_t)(file.blocks * 4096 + 100)};
	return 0;
}

static int fake_stat(const char *path, struct stat *out)
{
	assert_string_equal(path, "/file");
	*out = (struct stat){.st_dev = 0xfe00, .st_ino = file.replaced ? 8 : 7};
	return file.removed ? -1 : 0;
}

static int fake_statx(int fd, struct statx *out)
{
	(void)fd;
	*out = (struct statx){.stx_attributes = file.attributes};
	return 0;
}

static err_t fake_fsync(int fd, const char *what)
{
	(void)fd, (void)what;
	file.synced = true;
	return NULL;
}

#include "base/io.h"
#define ioctl				  fake_ioctl
#define fstatfs(fd, out)		  fake_fstatfs(fd, out)
#define fstat(fd, out)			  fake_fstat(fd, out)
#define stat(path, out)			  fake_stat(path, out)
#define statx(fd, path, flags, mask, out) fake_statx(fd, out)
#define io_fsync			  fake_fsync
#include "host/disks/btrfschunks.c"
#include "host/disks/filemap.c"

static void fake_fiemap(struct fiemap *m)
{
	uint64_t block = m->fm_start / 4096;

	for (; block < file.blocks + 1 && m->fm_mapped_extents < m->fm_extent_count; block++) {
		if (block == file.hole)
			continue;
		m->fm_extents[m->fm_mapped_extents++] = (struct fiemap_extent){
			.fe_logical = block * 4096,
			.fe_physical = (1000 + 2 * block) * 4096,
			.fe_length = block + 1 == file.blocks ? 8192 : 4096,
			.fe_flags = block == 3 ? file.flags : 0,
		};
	}
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	if (request == FS_IOC_FIEMAP)
		fake_fiemap(arg);
	else if (request == FS_IOC_FSGETXATTR)
		((struct fsxattr *)arg)->fsx_xflags = file.xflags;
	else if (request == FS_IOC_GETFLAGS)
		*(int *)arg = (int)file.flags;
	else
		return -1;
	return 0;
}

static err_t read_file(long type, uint64_t blocks, struct filemap *out)
{
	file.type = type;
	file.blocks = blocks;
	return filemap_read(0, "/file", false, out);
}

static void test_many(void **state)
{
	struct filemap m = {.dev = 0};

	(void)state;
	memset(&file, 0, sizeof(file));
	file.hole = UINT64_MAX;
	assert_ok(read_file(EXT4_SUPER_MAGIC, 1300, &m));
	assert_true(file.synced);
	assert_string_equal(m.type, "ext");
	assert_int_equal(m.dev, 0xfe00);
	assert_int_equal(m.extents.count, 1300);
	assert_int_equal(extentlist_bytes(&m.extents), 1300 * 4096);
	assert_int_equal(m.extents.list[1299].start, (1000 + 2 * 1299) * 4096);
	filemap_deinit(&m);
	file.synced = false;
	assert_ok(filemap_read(0, "/file", true, &m));
	assert_false(file.synced);
	filemap_deinit(&m);
}

static void test_attributes(void **state)
{
	static const uint64_t refused[] = {STATX_ATTR_ENCRYPTED, STATX_ATTR_COMPRESSED,
					   STATX_ATTR_VERITY};
	struct filemap m = {.dev = 0};

	(void)state;
	memset(&file, 0, sizeof(file));
	file.hole = UINT64_MAX;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		file.attributes = STATX_ATTR_NODUMP | refused[i];
		assert_err(read_file(EXT4_SUPER_MAGIC, 5, &m), ERR_REFUSED);
	}
	file.attributes = STATX_ATTR_NODUMP | STATX_ATTR_IMMUTABLE;
	assert_ok(read_file(EXT4_SUPER_MAGIC, 5, &m));
	filemap_deinit(&m);
}

static void test_flags(void **state)
{
	static const uint32_t refused[] = {
		FIEMAP_EXTENT_SHARED,	FIEMAP_EXTENT_DATA_INLINE, FIEMAP_EXTENT_ENCODED,
		FIEMAP_EXTENT_DELALLOC, FIEMAP_EXTENT_UNKNOWN,	   FIEMAP_EXTENT_NOT_ALIGNED,
	};
	struct filemap m = {.dev = 0};

	(void)state;
	memset(&file, 0, sizeof(file));
	file.hole = UINT64_MAX;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		file.flags = refused[i];
		assert_err(read_file(XFS_MAGIC, 10, &m), ERR_REFUSED);
	}
	file.flags = FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_MERGED;
	assert_ok(read_file(XFS_MAGIC, 10, &m));
	filemap_deinit(&m);
	file.xflags = FS_XFLAG_REALTIME;
	assert_err(read_file(XFS_MAGIC, 10, &m), ERR_REFUSED);
}

static void test_holes(void **state)
{
	struct filemap m = {.dev = 0};

	(void)state;
	memset(&file, 0, sizeof(file));
	file.hole = 5;
	assert_err(read_file(EXT4_SUPER_MAGIC, 10, &m), ERR_REFUSED);
	file.hole = 0;
	assert_err(read_file(EXT4_SUPER_MAGIC, 10, &m), ERR_REFUSED);
	file.hole = 9;
	assert_err(read_file(EXT4_SUPER_MAGIC, 10, &m), ERR_REFUSED);
	file.hole = 10; /* behind the end */
	assert_ok(read_file(EXT4_SUPER_MAGIC, 10, &m));
	filemap_deinit(&m);
}

static void test_filesystems(void **state)
{
	struct filemap m = {.dev = 0};

	(void)state;
	memset(&file, 0, sizeof(file));
	file.hole = UINT64_MAX;
	assert_err(read_file(TMPFS_MAGIC, 10, &m), ERR_REFUSED);
	assert_err(read_file(BTRFS_SUPER_MAGIC, 10, &m), ERR_REFUSED); /* copied on write */
}

static void test_name(void **state)
{
	struct filemap m = {.dev = 0};

	(void)state;
	memset(&file, 0, sizeof(file));
	file.hole = UINT64_MAX;
	file.replaced = true;
	assert_err(read_file(EXT4_SUPER_MAGIC, 10, &m), ERR_REFUSED);
	file.replaced = false;
	file.removed = true;
	assert_err(read_file(EXT4_SUPER_MAGIC, 10, &m), ERR_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),	    cmocka_unit_test(test_flags),
		cmocka_unit_test(test_attributes),  cmocka_unit_test(test_holes),
		cmocka_unit_test(test_filesystems), cmocka_unit_test(test_name),
	};

	return cmocka_run_group_tests_name("filemap", tests, NULL, NULL);
}
