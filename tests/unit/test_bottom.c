/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * On a made-up /sys; what the device mapper's tables say is told here. Faults planted,
 * each found: the partition's start left out, or its disk's size not looked at; a piece of
 * a mapping told at the place of the one before; what one piece is beneath carried over to
 * the next; a hole that ends the walk; each version of a RAID's superblock at the place of
 * another; the data of a RAID5 taken for a copy; members after the first left out; RAID0
 * let through; a head of NVMe with two ways taken for a disk.
 */
#include "fakesys.h"

#include "host/disks/bottom.c"
#include "host/disks/nvmehead.c"

#define DISK  "pci0/virtio0/block/vda"
#define OTHER "pci0/virtio1/block/vdb"
#define DM0   "virtual/block/dm-0"
#define DM1   "virtual/block/dm-1"
#define MD    "virtual/block/md0"

static struct fakesys f;

/* The lines of tables: sectors from at on of a device lie there. */
static struct line {
	unsigned int minor;
	uint64_t at;
	struct dm_piece piece;
} lines[8];
static unsigned int line_count;

static struct bottom told[16];
static unsigned int told_count;

err_t dmtable_find(dev_t dev, const char *name, uint64_t at, uint64_t count, struct dm_piece *out)
{
	(void)name;
	for (unsigned int i = 0; i < line_count; i++) {
		const struct line *l = &lines[i];

		if (dev != makedev(1, l->minor) || at < l->at || at >= l->at + l->piece.count)
			continue;
		*out = l->piece;
		out->sector += at - l->at;
		out->count = min_u64(count, l->at + l->piece.count - at);
		return NULL;
	}
	return err_new(ERR_REFUSED, "no such sector");
}

static void line(unsigned int minor, uint64_t at, struct dm_piece piece)
{
	lines[line_count++] = (struct line){minor, at, piece};
}

static err_t take(const struct bottom *b, void *ctx)
{
	assert_ptr_equal(ctx, told);
	if (told_count == ARRAY_LEN(told))
		return err_new(ERR_NOSPACE, "more than the test expects");
	told[told_count++] = *b;
	return NULL;
}

/* By sectors. */
static err_t find(unsigned int minor, uint64_t offset, uint64_t length)
{
	told_count = 0;
	return bottom_find_in(f.top, makedev(1, minor), offset * SECTOR, length * SECTOR, take,
			      told);
}

static void expect(unsigned int i, unsigned int minor, uint64_t at, uint64_t offset,
		   uint64_t length)
{
	char folder[BOTTOM_FOLDER_MAX];

	assert_true(i < told_count);
	assert_true(told[i].disk == makedev(1, minor));
	assert_int_equal(told[i].at, at * SECTOR);
	assert_int_equal(told[i].offset, offset * SECTOR);
	assert_int_equal(told[i].length, length * SECTOR);
	snprintf(folder, sizeof(folder), "%s/dev/block/1:%u", f.top, minor);
	assert_string_equal(told[i].folder, folder);
}

/* 1: a disk of 1 MiB, 2 and 3: partitions of it; 4: another disk; 5, 6: dm; 7: md. */
static int make(void **state)
{
	(void)state;
	fakesys_init(&f);
	fakesys_block(&f, 1, DISK, 2048);
	fakesys_partition(&f, 2, DISK "/vda1", 64, 448);
	fakesys_partition(&f, 3, DISK "/vda2", 512, 1536);
	fakesys_block(&f, 4, OTHER, 4096);
	fakesys_block(&f, 5, DM0, 1024);
	fakesys_block(&f, 6, DM1, 1024);
	line_count = told_count = 0;
	return 0;
}

static int clean(void **state)
{
	(void)state;
	fakesys_deinit(&f);
	return 0;
}

static void test_disk(void **state)
{
	(void)state;
	assert_ok(find(1, 16, 8));
	assert_int_equal(told_count, 1);
	expect(0, 1, 0, 16, 8);
	assert_int_equal(told[0].bytes, 1 << 20);
	assert_false(told[0].raid || told[0].scrambled || told[0].encrypted || told[0].paths);
	assert_ok(find(3, 8, 16));
	assert_int_equal(told_count, 1);
	expect(0, 1, 0, 520, 16);
	assert_int_equal(told[0].bytes, 1 << 20);
}

static void test_outside(void **state)
{
	(void)state;
	assert_ok(find(1, 2040, 8));
	assert_err(find(1, 2040, 9), ERR_REFUSED);
	assert_err(find(1, 2049, 0), ERR_REFUSED);
	assert_err(find(1, UINT64_MAX / SECTOR, 1), ERR_REFUSED);
	assert_err(find(1, 1, UINT64_MAX / SECTOR), ERR_REFUSED);
	assert_err(find(3, 1536, 8), ERR_REFUSED);
	assert_err(find(99, 0, 8), ERR_IO);
	assert_err(bottom_find_in(f.top, makedev(1, 1), 0, 100, take, told), ERR_INVALID);
	assert_err(bottom_find_in(f.top, makedev(1, 1), 100, 512, take, told), ERR_INVALID);
}

static void test_mapper(void **state)
{
	dev_t part = makedev(1, 3);

	(void)state;
	line(5, 0, (struct dm_piece){.dev = part, .sector = 800, .count = 100, .encrypted = true});
	line(5, 100, (struct dm_piece){.nowhere = true, .count = 100});
	line(5, 200, (struct dm_piece){.dev = makedev(1, 4), .sector = 40, .count = 824});
	assert_ok(find(5, 50, 200));
	assert_int_equal(told_count, 2);
	expect(0, 1, 0, 512 + 850, 50);
	assert_true(told[0].encrypted && !told[0].scrambled);
	expect(1, 4, 150, 40, 50);
	assert_false(told[1].encrypted);
	assert_ok(find(5, 120, 10));
	assert_int_equal(told_count, 0);
	assert_err(find(5, 1020, 8), ERR_REFUSED); /* the table ends before that */
}

/* A volume in two parts on LUKS on a partition: what the lower one is holds for both. */
static void test_stacked(void **state)
{
	dev_t crypt = makedev(1, 5);

	(void)state;
	line(5, 0,
	     (struct dm_piece){.dev = makedev(1, 3),
			       .sector = 32,
			       .count = 1024,
			       .encrypted = true,
			       .scrambled = true});
	line(6, 0, (struct dm_piece){.dev = crypt, .sector = 600, .count = 400});
	line(6, 400, (struct dm_piece){.dev = crypt, .sector = 100, .count = 300});
	assert_ok(find(6, 390, 20));
	assert_int_equal(told_count, 2);
	expect(0, 1, 0, 512 + 32 + 990, 10);
	expect(1, 1, 10, 512 + 32 + 100, 10);
	assert_true(told[0].encrypted && told[0].scrambled);
	assert_true(told[1].encrypted && told[1].scrambled);
	/* LUKS on a volume. */
	line_count = 0;
	line(6, 0, (struct dm_piece){.dev = crypt, .sector = 8, .count = 1000, .encrypted = true});
	line(5, 0, (struct dm_piece){.dev = makedev(1, 3), .sector = 0, .count = 500});
	line(5, 500, (struct dm_piece){.dev = makedev(1, 2), .sector = 4, .count = 444});
	assert_ok(find(6, 490, 10));
	assert_int_equal(told_count, 2);
	expect(0, 1, 0, 512 + 498, 2);
	expect(1, 1, 2, 64 + 4, 8);
	assert_true(told[0].encrypted && told[1].encrypted);
}

static void test_multipath(void **state)
{
	(void)state;
	line(5, 0, (struct dm_piece){.all_paths = true, .sector = 0, .count = 1024});
	assert_err(find(5, 0, 8), ERR_REFUSED); /* with nothing beneath */
	fakesys_link(&f, DM0, "slaves/vda", DISK);
	assert_ok(find(5, 16, 8));
	assert_int_equal(told_count, 1);
	expect(0, 1, 0, 16, 8);
	assert_true(told[0].paths);
}

/* One of a RAID of two, of members 3 (vda2) and 4 (vdb). */
static void make_raid(const char *level, const char *version)
{
	fakesys_block(&f, 7, MD, 1024);
	fakesys_file(&f, MD, "md/level", level);
	fakesys_file(&f, MD, "md/metadata_version", version);
	fakesys_file(&f, MD, "md/dev-vda2/offset", "64");
	fakesys_file(&f, MD, "md/dev-vdb/offset", "128");
	fakesys_link(&f, MD, "md/dev-vda2/block", DISK "/vda2");
	fakesys_link(&f, MD, "md/dev-vdb/block", OTHER);
}

/* What was told of a disk: its superblock, or its data. */
static const struct bottom *of_disk(unsigned int minor, bool raid)
{
	for (unsigned int i = 0; i < told_count; i++) {
		if (told[i].disk == makedev(1, minor) && told[i].raid == raid)
			return &told[i];
	}
	fail_msg("nothing was told of 1:%u", minor);
	return NULL;
}

static void test_raid1(void **state)
{
	static const struct {
		const char *version;
		uint64_t vda2, vdb; /* sectors, counted from the member's start */
	} versions[] = {
		{"0.90", 1536 - 128, 4096 - 128},
		{"1.0", 1536 - 16, 4096 - 16},
		{"1.1", 0, 0},
		{"1.2", 8, 8},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		make_raid("raid1", versions[i].version);
		assert_ok(find(7, 24, 16));
		assert_int_equal(told_count, 4);
		assert_int_equal(of_disk(1, true)->offset, (512 + versions[i].vda2) * SECTOR);
		assert_int_equal(of_disk(4, true)->offset, versions[i].vdb * SECTOR);
		assert_int_equal(of_disk(4, true)->length, 4096);
		assert_int_equal(of_disk(1, false)->offset, (512 + 64 + 24) * SECTOR);
		assert_int_equal(of_disk(4, false)->offset, (128 + 24) * SECTOR);
		assert_int_equal(of_disk(4, false)->length, 16 * SECTOR);
		clean(state);
		make(state);
	}
}

/* A partition of a RAID, and a volume with a RAID beneath one part only. */
static void test_raid_stacked(void **state)
{
	(void)state;
	make_raid("raid1", "1.2");
	fakesys_partition(&f, 8, MD "/md0p1", 100, 900);
	assert_ok(find(8, 4, 8));
	assert_int_equal(told_count, 4);
	assert_int_equal(of_disk(4, false)->offset, (128 + 104) * SECTOR);
	line(5, 0, (struct dm_piece){.dev = makedev(1, 7), .sector = 0, .count = 8});
	line(5, 8, (struct dm_piece){.dev = makedev(1, 1), .sector = 0, .count = 8});
	assert_ok(find(5, 0, 16));
	assert_int_equal(told_count, 5);
	assert_false(told[4].raid);
	expect(4, 1, 8, 0, 8);
}

static void test_raid_levels(void **state)
{
	static const char *const without[] = {"raid4", "raid5", "raid6", "raid10"};
	static const char *const refused[] = {"raid0", "linear", "container"};

	(void)state;
	make_raid("raid1", "external:imsm");
	assert_err(find(7, 0, 8), ERR_REFUSED);
	fakesys_file(&f, MD, "md/metadata_version", "1.2");
	for (size_t i = 0; i < ARRAY_LEN(without); i++) {
		fakesys_file(&f, MD, "md/level", without[i]);
		assert_ok(find(7, 0, 8));
		assert_int_equal(told_count, 2); /* only what tells of writes */
		assert_true(told[0].raid && told[1].raid);
	}
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		fakesys_file(&f, MD, "md/level", refused[i]);
		assert_err(find(7, 0, 8), ERR_REFUSED);
		assert_int_equal(told_count, 0);
	}
}

static void test_no_medium(void **state)
{
	static const char *const names[] = {"loop3", "ram0", "zram0"};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_LEN(names); i++) {
		char folder[64];

		snprintf(folder, sizeof(folder), "virtual/block/%s", names[i]);
		fakesys_block(&f, 20 + i, folder, 2048);
		assert_ok(find(20 + i, 0, 8));
		assert_int_equal(told_count, 0);
	}
}

static void test_depth(void **state)
{
	(void)state;
	line(5, 0, (struct dm_piece){.dev = makedev(1, 6), .sector = 0, .count = 1024});
	line(6, 0, (struct dm_piece){.dev = makedev(1, 5), .sector = 0, .count = 1024});
	assert_err(find(5, 0, 8), ERR_REFUSED);
}

static void test_nvme(void **state)
{
#define SUBSYSTEM "virtual/nvme-subsystem/nvme-subsys0/"
	(void)state;
	fakesys_block(&f, 30, SUBSYSTEM "nvme0n1", 2048);
	fakesys_partition(&f, 31, SUBSYSTEM "nvme0n1/nvme0n1p1", 256, 1024);
	fakesys_block(&f, 0, "pci0/nvme/nvme0/nvme0c0n1", 2048);
	assert_ok(find(31, 8, 8));
	expect(0, 30, 0, 264, 8);
	assert_false(told[0].paths);
	fakesys_block(&f, 0, "pci0/nvme/nvme1/nvme0c1n1", 2048);
	assert_ok(find(31, 8, 8));
	expect(0, 30, 0, 264, 8);
	assert_true(told[0].paths);
}

static err_t say_no(const struct bottom *b, void *ctx)
{
	(void)b, (void)ctx;
	told_count++;
	return err_new(ERR_NOSPACE, "enough");
}

/* What the caller says no to ends it there. */
static void test_error(void **state)
{
	(void)state;
	line(5, 0, (struct dm_piece){.dev = makedev(1, 1), .sector = 0, .count = 8});
	line(5, 8, (struct dm_piece){.dev = makedev(1, 4), .sector = 0, .count = 8});
	assert_err(bottom_find_in(f.top, makedev(1, 5), 0, 16 * SECTOR, say_no, NULL), ERR_NOSPACE);
	assert_int_equal(told_count, 1);
	make_raid("raid1", "1.2");
	told_count = 0;
	assert_err(bottom_find_in(f.top, makedev(1, 7), 0, 16 * SECTOR, say_no, NULL), ERR_NOSPACE);
	assert_int_equal(told_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, make, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(disk),	 TEST(outside), TEST(mapper),	    TEST(stacked),
		TEST(multipath), TEST(raid1),	TEST(raid_stacked), TEST(raid_levels),
		TEST(no_medium), TEST(depth),	TEST(nvme),	    TEST(error),
	};

	return cmocka_run_group_tests_name("bottom", tests, NULL, NULL);
}
