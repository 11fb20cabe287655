/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Filesystems made by mke2fs. Faults planted, each found: a journal with something in it
 * overlooked; the place compared without the filesystem's own start; only the first
 * block compared, or all but the last ones; a file that is not there taken for another; any
 * filesystem taken for the one with the uuid; what libext2fs cannot read, or does not know,
 * taken for damage; the first partition with the filesystem taken; a partition whose start
 * cannot be read taken for one that begins at 0.
 */
#include "unit.h"

#include "resume/extfile.c"

#include <sys/stat.h>

#define UUID "5ca1ab1e-0d0d-4bad-8bad-c0ffee000001"

struct filesystem {
	char path[64];
	struct pin pin; /* of /folder/file */
};

static void run(const char *command)
{
	if (system(command))
		fail_msg("%s", command);
}

/* Of blocks of 1 KiB: the head is 16 of them. */
static void setup(struct filesystem *f)
{
	char folder[] = "/tmp/dormouse-extfile-XXXXXX", command[512];

	assert_non_null(mkdtemp(folder));
	memset(f, 0, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "%s.img", folder);
	snprintf(command, sizeof(command),
		 "mkdir %s/folder && dd if=/dev/urandom of=%s/folder/file bs=64k count=1 "
		 "2>/dev/null && "
		 "mke2fs -q -F -t ext4 -b 1024 -d %s %s 8m && rm -r %s",
		 folder, folder, folder, f->path, folder);
	run(command);
	f->pin.kind = PIN_HEAD;
	strcpy(f->pin.ext_path, "/folder/file");
}

static uint64_t place_of_file(const struct filesystem *f)
{
	ext2_filsys fs;
	ext2_ino_t inode;
	blk64_t block = 0;
	int flags = 0;

	assert_int_equal(ext2fs_open(f->path, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs), 0);
	assert_int_equal(ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, f->pin.ext_path, &inode),
			 0);
	assert_int_equal(ext2fs_bmap2(fs, inode, NULL, NULL, 0, 0, &flags, &block), 0);
	ext2fs_close_free(&fs);
	return block * 1024;
}

/* Exchange one of the file's blocks with that of its KiB 40, in the filesystem's eyes. */
static void tear(const struct filesystem *f, blk64_t which)
{
	ext2_filsys fs;
	ext2_ino_t inode;
	blk64_t block = 0;
	int flags = 0;

	assert_int_equal(
		ext2fs_open(f->path, EXT2_FLAG_64BITS | EXT2_FLAG_RW, 0, 0, unix_io_manager, &fs),
		0);
	assert_int_equal(ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, f->pin.ext_path, &inode),
			 0);
	assert_int_equal(ext2fs_bmap2(fs, inode, NULL, NULL, 0, 40, &flags, &block), 0);
	assert_int_equal(ext2fs_bmap2(fs, inode, NULL, NULL, BMAP_SET, which, &flags, &block), 0);
	ext2fs_close_free(&fs);
}

static void test_place(void **state)
{
	struct filesystem f;
	struct pin pin;

	(void)state;
	setup(&f);
	f.pin.byte = place_of_file(&f);
	assert_ok(extfile_check_at(&f.pin, f.path, 0));
	pin = f.pin;
	pin.byte += 1 << 20; /* as a partition's */
	assert_err(extfile_check_at(&pin, f.path, 0), ERR_CORRUPT);
	assert_ok(extfile_check_at(&pin, f.path, 1 << 20));
	strcpy(pin.ext_path, "/folder/other");
	assert_err(extfile_check_at(&pin, f.path, 1 << 20), ERR_REFUSED);
	strcpy(pin.ext_path, "/folder/file/other");
	assert_err(extfile_check_at(&pin, f.path, 1 << 20), ERR_REFUSED);
	strcpy(pin.ext_path, "/folder");
	assert_err(extfile_check_at(&pin, f.path, 1 << 20), ERR_CORRUPT);
	unlink(f.path);
}

/* The head is 16 KiB, and where the rest lies is the map's to say. */
static void test_pieces(void **state)
{
	static const blk64_t blocks[] = {1, 15, 16};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		struct filesystem f;

		setup(&f);
		f.pin.byte = place_of_file(&f);
		tear(&f, blocks[i]);
		if (blocks[i] < 16)
			assert_err(extfile_check_at(&f.pin, f.path, 0), ERR_CORRUPT);
		else
			assert_ok(extfile_check_at(&f.pin, f.path, 0));
		unlink(f.path);
	}
}

static void test_uuid(void **state)
{
	struct filesystem f;
	char command[256];

	(void)state;
	setup(&f);
	strcpy(f.pin.ext_uuid, UUID);
	assert_false(has_filesystem(&f.pin, f.path));
	snprintf(command, sizeof(command), "tune2fs -U " UUID " %s >/dev/null 2>&1", f.path);
	run(command);
	assert_true(has_filesystem(&f.pin, f.path));
	assert_false(has_filesystem(&f.pin, "/dev/zero"));
	f.pin.ext_uuid[35] = '2';
	assert_false(has_filesystem(&f.pin, f.path));
	unlink(f.path);
}

static void test_journal(void **state)
{
	struct filesystem f;
	char command[256];

	(void)state;
	setup(&f);
	f.pin.byte = place_of_file(&f);
	snprintf(command, sizeof(command),
		 "debugfs -w -R 'feature needs_recovery' %s >/dev/null 2>&1", f.path);
	run(command);
	assert_err(extfile_check_at(&f.pin, f.path, 0), ERR_CORRUPT);
	unlink(f.path);
}

/* Nothing that cannot be read, or is too new, says anything of the image: CORRUPT would have
 * it thrown away. */
static void test_unknown(void **state)
{
	struct filesystem f;
	const uint8_t feature = 0x80; /* of 32: in use by nobody */
	char command[256];
	int fd;

	(void)state;
	setup(&f);
	f.pin.byte = place_of_file(&f);
	assert_err(extfile_check_at(&f.pin, "/nowhere/at/all", 0), ERR_IO);
	assert_int_equal(truncate(f.path, 32 << 10), 0);
	assert_err(extfile_check_at(&f.pin, f.path, 0), ERR_IO);
	assert_int_equal(truncate(f.path, 0), 0);
	assert_err(extfile_check_at(&f.pin, f.path, 0), ERR_IO);
	unlink(f.path);

	setup(&f);
	snprintf(command, sizeof(command), "tune2fs -O ^metadata_csum %s >/dev/null 2>&1", f.path);
	run(command);
	fd = open(f.path, O_RDWR);
	assert_int_equal(pwrite(fd, &feature, 1, SUPER_AT + 96 + 3), 1);
	close(fd);
	assert_err(extfile_check_at(&f.pin, f.path, 0), ERR_UNSUPPORTED);
	unlink(f.path);
}

/* vda and its partitions, as /sys and /dev have them; with the filesystem, or a hole. */
static void add_part(const char *folder, const char *name, const char *file, unsigned int start)
{
	char command[1024];

	snprintf(command, sizeof(command),
		 "mkdir -p %s/dev %s/sys/vda/%s && cp %s %s/dev/%s && "
		 "echo %u >%s/sys/vda/%s/start && echo 16384 >%s/sys/vda/%s/size",
		 folder, folder, name, file, folder, name, start, folder, name, folder, name);
	run(command);
}

static void remove_folder(const char *folder)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	run(command);
}

/* Of two copies of a filesystem on a disk, the one with the pinned place counts. */
static void test_partitions(void **state)
{
	char folder[] = "/tmp/dormouse-extfile-XXXXXX", sys[64], dev[64], disk[64], command[256];
	struct disk_where where = {.sys = sys, .dev = dev};
	struct filesystem f;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(sys, sizeof(sys), "%s/sys", folder);
	snprintf(dev, sizeof(dev), "%s/dev", folder);
	snprintf(disk, sizeof(disk), "%s/dev/vda", folder);
	setup(&f);
	snprintf(command, sizeof(command), "tune2fs -f -U " UUID " %s >/dev/null", f.path);
	run(command);
	strcpy(f.pin.ext_uuid, UUID);
	f.pin.byte = place_of_file(&f) + (uint64_t)2048 * 512;
	assert_err(extfile_check(&where, &f.pin, disk), ERR_REFUSED);
	add_part(folder, "vda1", f.path, 2048 + 16384);
	assert_err(extfile_check(&where, &f.pin, disk), ERR_REFUSED);
	add_part(folder, "vda2", f.path, 2048);
	add_part(folder, "vda3", f.path, 2048 + 2 * 16384);
	assert_ok(extfile_check(&where, &f.pin, disk));
	add_part(folder, "vda2", "/dev/null", 2048);
	assert_err(extfile_check(&where, &f.pin, disk), ERR_REFUSED);
	add_part(folder, "vda2", f.path, 2048);
	snprintf(command, sizeof(command), "rm %s/sys/vda/vda2/start", folder);
	run(command);
	assert_err(extfile_check(&where, &f.pin, disk), ERR_IO);
	remove_folder(folder);
	unlink(f.path);
}

/* Not pinned with one: nothing to be checked. */
static void test_none(void **state)
{
	struct pin pin = {.kind = PIN_HEAD};

	(void)state;
	assert_ok(extfile_check(NULL, &pin, "/dev/none"));
	strcpy(pin.ext_uuid, UUID);
	assert_err(extfile_check(NULL, &pin, "/dev/none"), ERR_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),	cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_uuid),	cmocka_unit_test(test_journal),
		cmocka_unit_test(test_unknown), cmocka_unit_test(test_partitions),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests_name("extfile", tests, NULL, NULL);
}
