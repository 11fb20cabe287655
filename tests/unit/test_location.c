/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * On a made-up machine: a disk with a swap partition and a filesystem, each behind
 * another. Faults planted, each found: used swap counted as room; a pin of the page and not
 * of its last sector, or of the partition and not of the disk; a swap file taken for a file;
 * its first page taken for 0; a head in two pieces let through; a filesystem asked for its
 * UUID that lies on a mapping, or that is frozen; a path with a # in it pinned; a device
 * refused because it lies on no one disk; a target that has moved, or is something else
 * now, or has another name, let through; swap that is off pinned where it was before its disk
 * became another one, or without a pin before; a pin let through that is not that of a device.
 */
#include "unit.h"

#include "host/disks/location.h"

#include "base/util.h"
#include "host/disks/filemap.h"
#include "host/disks/fspath.h"
#include "host/disks/stack.h"
#include "host/disks/swaps.h"
#include "keys/volume.h"
#include "tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define PART	   ((dev_t)0x801)
#define PART_AT	   (1 * MIB) /* on the disk */
#define DISK_BYTES (1024 * MIB)
#define ODD_BYTES  (100 * MIB + 512)

/* The machine: what the path names, and what is known of it. */
static struct {
	mode_t type; /* 0: it is not there */
	dev_t rdev;
	struct swap swap;	  /* no path: it is not on */
	struct extent extents[3]; /* of a file, up to length 0 */
	const char *fs;
	const char *path; /* of the file in its filesystem */
	bool bare;	  /* the filesystem's device is a partition of the disk */
	bool on_one_disk;
	struct encrypted_area area;
	struct tempfile file; /* in place of any that is opened */
	char folder[64];      /* the disk's, of /sys */
} machine;

static int fake_stat(const char *path, struct stat *st)
{
	(void)path;
	if (!machine.type) {
		errno = ENOENT;
		return -1;
	}
	*st = (struct stat){.st_mode = machine.type | 0600, .st_rdev = machine.rdev};
	return 0;
}

static int fake_open(const char *path, int flags)
{
	(void)path;
	return (open)(machine.file.path, flags);
}

static int fake_ioctl(int fd, unsigned long request, uint64_t *out)
{
	assert_true(fd >= 0);
	assert_true(request == BLKGETSIZE64);
	*out = ODD_BYTES;
	return 0;
}

err_t swaps_read(struct swaps *out)
{
	memset(out, 0, sizeof(*out));
	out->list[0] = machine.swap;
	out->count = *machine.swap.path ? 1 : 0;
	return NULL;
}

const struct swap *swaps_find(const struct swaps *s, const char *path)
{
	return s->count && !strcmp(path, s->list[0].path) ? &s->list[0] : NULL;
}

err_t ondisk_find(dev_t dev, struct ondisk *out)
{
	memset(out, 0, sizeof(*out));
	assert_true(dev == PART);
	out->count = 1;
	if (!machine.on_one_disk)
		return err_new(ERR_REFUSED, "lies on two disks");
	out->disk_bytes = DISK_BYTES;
	strcpy(out->disk_name, "/dev/vda");
	strcpy(out->folder, machine.folder);
	return NULL;
}

err_t ondisk_map(const struct ondisk *o, const struct extentlist *in, struct extentlist *out)
{
	(void)o;
	for (uint32_t i = 0; i < in->count; i++)
		TRY(extentlist_add(out, PART_AT + in->list[i].start, in->list[i].length));
	return NULL;
}

bool stack_is_disk(dev_t dev)
{
	assert_true(dev == PART);
	return machine.bare;
}

void stack_name(dev_t dev, char *name, size_t n)
{
	(void)dev;
	snprintf(name, n, "/dev/vda1");
}

err_t filemap_read(int fd, const char *path, bool frozen, struct filemap *out)
{
	(void)path, (void)frozen;
	assert_true(fd >= 0);
	snprintf(out->type, sizeof(out->type), "%s", machine.fs);
	out->dev = PART;
	for (size_t i = 0; i < ARRAY_LEN(machine.extents) && machine.extents[i].length; i++)
		TRY(extentlist_add(&out->extents, machine.extents[i].start,
				   machine.extents[i].length));
	return NULL;
}

void filemap_deinit(struct filemap *m)
{
	extentlist_deinit(&m->extents);
}

err_t fspath_of(int fd, const char *path, char *out, size_t n)
{
	(void)path;
	assert_true(fd >= 0);
	snprintf(out, n, "%s", machine.path);
	return NULL;
}

err_t volume_describe(const char *device, struct encrypted_area *out)
{
	assert_string_equal(device, "/dev/vda1");
	*out = machine.area;
	return machine.area.bytes ? NULL : err_new(ERR_FORMAT, "no LUKS");
}

#define stat(path, st)	  fake_stat(path, st)
#define open(path, flags) fake_open(path, flags)
#define ioctl		  fake_ioctl
#include "host/disks/extentlist.c"
#include "host/disks/location.c"

static int setup(void **state)
{
	char path[96];
	FILE *f;

	(void)state;
	memset(&machine, 0, sizeof(machine));
	machine.bare = machine.on_one_disk = true;
	machine.fs = "ext";
	machine.path = "/swap/file";
	tempfile_open(&machine.file, 8192);
	for (uint8_t i = 0; i < 16; i++)
		assert_int_equal(pwrite(machine.file.fd, &i, 1, 1024 + 104 + i), 1);
	strcpy(machine.folder, "/tmp/dormouse-location-XXXXXX");
	assert_non_null(mkdtemp(machine.folder));
	snprintf(path, sizeof(path), "%s/serial", machine.folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "SN 12\n");
	fclose(f);
	return 0;
}

static int teardown(void **state)
{
	char path[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/serial", machine.folder);
	unlink(path);
	rmdir(machine.folder);
	tempfile_close(&machine.file);
	return 0;
}

static void be_device(void)
{
	machine.type = S_IFBLK;
	machine.rdev = PART;
}

static void be_file(uint64_t first, uint64_t first_bytes, uint64_t second)
{
	machine.type = S_IFREG;
	machine.extents[0] = (struct extent){first, first_bytes};
	machine.extents[1] = (struct extent){second, 64 * KIB};
}

static void be_on(const char *path, uint64_t bytes, uint64_t used)
{
	machine.swap = (struct swap){.bytes = bytes, .used = used};
	strcpy(machine.swap.path, path);
}

static void expect_pin(const struct location *l, enum pin_kind kind, uint64_t byte)
{
	assert_int_equal(l->pin.kind, kind);
	assert_int_equal(l->pin.byte, PART_AT + byte);
	assert_int_equal(l->pin.disk_bytes, DISK_BYTES);
	assert_string_equal(l->pin.identity, "SN_12");
	assert_string_equal(l->pin.target, l->name);
	assert_true(location_is_located(l));
}

static void test_swap(void **state)
{
	struct location l;

	(void)state;
	be_device();
	be_on("/dev/vda1", 100 * MIB, 30 * MIB);
	assert_ok(location_find("/dev/vda1", &l));
	assert_int_equal(l.kind, LOCATION_SWAP);
	assert_true(location_is_swap(&l));
	assert_int_equal(l.room, swapslots_room(70 * MIB));
	assert_true(l.room < 70 * MIB);
	assert_int_equal(l.swap_page, 0);
	expect_pin(&l, PIN_LOCATOR, LOCATED_LOCATOR_AT);
	assert_int_equal(l.extents.count, 0);
	/* Slots that were reserved since. */
	assert_ok(extentlist_add(&l.slots, 40 * KIB, 64 * KIB));
	assert_ok(location_map(&l, true));
	assert_int_equal(l.extents.count, 1);
	assert_int_equal(l.extents.list[0].start, PART_AT + 40 * KIB);
	location_deinit(&l);
	be_on("/dev/vda1", 100 * MIB, 101 * MIB); /* between two readings of /proc/swaps */
	assert_ok(location_find("/dev/vda1", &l));
	assert_int_equal(l.room, 0);
	location_deinit(&l);
	/* Of swap in use, there must be one disk. */
	machine.on_one_disk = false;
	assert_err(location_find("/dev/vda1", &l), ERR_REFUSED);
	location_deinit(&l);
}

static void test_device(void **state)
{
	struct location l;

	(void)state;
	be_device();
	be_on("/dev/vda2", 100 * MIB, 0);
	for (int one = 0; one < 2; one++) {
		machine.on_one_disk = one;
		assert_ok(location_find("/dev/vda1", &l));
		assert_int_equal(l.kind, LOCATION_DEVICE);
		assert_int_equal(l.room, 100 * MIB);
		assert_int_equal(l.disk.count, one);
		assert_false(location_is_located(&l));
		assert_string_equal(location_device(&l), "/dev/vda1");
		assert_ok(location_check_pin(&l, &(struct pins){.count = 0}));
		assert_int_equal(location_locator(&l), one ? PART_AT + LOCATED_LOCATOR_AT : 0);
		location_deinit(&l);
	}
}

static void test_swapfile(void **state)
{
	struct location l;

	(void)state;
	be_file(10 * MIB, 4 * KIB, 20 * MIB); /* its head need not be in one piece */
	be_on("/swapfile", 8 * MIB, 1 * MIB);
	assert_ok(location_find("/swapfile", &l));
	assert_int_equal(l.kind, LOCATION_SWAPFILE);
	assert_int_equal(l.swap_page, 10 * MIB / PAGE_BYTES);
	assert_int_equal(l.room, swapslots_room(7 * MIB));
	assert_true(l.dev == PART);
	expect_pin(&l, PIN_LOCATOR, 10 * MIB + LOCATED_LOCATOR_AT);
	/* A file moves. */
	machine.extents[0].start = 11 * MIB;
	assert_ok(location_map(&l, true));
	expect_pin(&l, PIN_LOCATOR, 11 * MIB + LOCATED_LOCATOR_AT);
	location_deinit(&l);
}

static void test_file(void **state)
{
	struct location l;

	(void)state;
	be_file(10 * MIB, 64 * KIB, 20 * MIB);
	assert_ok(location_find("/var/img", &l));
	assert_int_equal(l.kind, LOCATION_FILE);
	assert_false(location_is_swap(&l));
	assert_int_equal(l.room, 128 * KIB); /* the map lies in the head */
	assert_int_equal(l.extents.count, 2);
	expect_pin(&l, PIN_HEAD, 10 * MIB);
	assert_string_equal(l.pin.ext_uuid, "00010203-0405-0607-0809-0a0b0c0d0e0f");
	assert_string_equal(l.pin.ext_path, "/swap/file");
	/* Once all is frozen, the filesystem is not asked; and there is a new list. */
	assert_ok(location_map(&l, true));
	assert_string_equal(l.pin.ext_uuid, "");
	assert_int_equal(l.extents.count, 2);
	location_deinit(&l);
}

/* Where a boot could not ask the filesystem, its UUID is not pinned. */
static void test_no_ext(void **state)
{
	struct location l;

	(void)state;
	be_file(10 * MIB, 64 * KIB, 20 * MIB);
	for (int way = 0; way < 4; way++) {
		machine.fs = way == 0 ? "xfs" : "ext";
		machine.bare = way != 1;
		machine.path = way == 2 ? "/a#b" : way == 3 ? "/a\nb" : "/a";
		assert_ok(location_find("/var/img", &l));
		expect_pin(&l, PIN_HEAD, 10 * MIB);
		assert_string_equal(l.pin.ext_uuid, "");
		assert_string_equal(l.pin.ext_path, "");
		location_deinit(&l);
	}
}

static void test_bad_files(void **state)
{
	struct location l;

	(void)state;
	be_file(10 * MIB, LOCATED_HEAD_BYTES - PAGE_BYTES, 20 * MIB);
	assert_err(location_find("/var/img", &l), ERR_REFUSED);
	location_deinit(&l);
	machine.extents[0].length = 0; /* a hole, all of it */
	assert_err(location_find("/var/img", &l), ERR_REFUSED);
	location_deinit(&l);
	be_on("/var/img", 8 * MIB, 0);
	assert_err(location_find("/var/img", &l), ERR_REFUSED);
	location_deinit(&l);
}

static void test_luks(void **state)
{
	struct location l;

	(void)state;
	machine.area = (struct encrypted_area){.start = 16 * MIB, .bytes = ODD_BYTES};
	assert_err(location_find("luks:/dev/vda1", &l), ERR_INVALID);
	location_deinit(&l);
	machine.type = S_IFREG;
	assert_err(location_find("luks:/dev/vda1", &l), ERR_INVALID);
	location_deinit(&l);
	be_device();
	assert_ok(location_find("luks:/dev/vda1", &l));
	assert_int_equal(l.kind, LOCATION_LUKS);
	assert_int_equal(l.room, 100 * MIB);
	assert_string_equal(location_device(&l), "/dev/vda1");
	assert_false(location_is_located(&l));
	location_deinit(&l);
	machine.area.bytes = 0;
	assert_err(location_find("luks:/dev/vda1", &l), ERR_FORMAT);
	location_deinit(&l);
}

static void expect_missing(const char *name, bool hint)
{
	struct location l;
	err_t e = location_find(name, &l);

	assert_true(e && err_kind(e) == ERR_INVALID);
	assert_int_equal(strstr(err_text(e), "dormouse setup") != NULL, hint);
	err_free(e);
	location_deinit(&l);
}

static void test_nothing(void **state)
{
	struct location l = {.kind = LOCATION_NONE}; /* never found: fd 0 is not its own */
	int before = fcntl(STDIN_FILENO, F_GETFD);

	(void)state;
	location_deinit(&l);
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), before);
	expect_missing("/var/img", true);
	expect_missing("/dev/vdz", false);
	machine.type = S_IFDIR;
	expect_missing("/var", false);
}

static void expect_refused(const struct location *l, const struct pins *pins, const char *says);

/* Swap that is off, and was on when it was pinned: its disk is another one by now, or grew. */
static void test_device_pinned(void **state)
{
	struct pins before = {.count = 0}, pins = {.count = 0};
	struct location l;
	struct pin *pin = &before.pins[0];

	(void)state;
	be_device();
	assert_ok(location_find("/dev/vda1", &l));
	assert_ok(location_pin(&l, &before, &pins));
	assert_int_equal(pins.count, 0);
	assert_ok(pins_set(&before, &l.pin));
	assert_ok(location_check_pin(&l, &before));
	pin->disk_bytes /= 2;
	expect_refused(&l, &before, "not where it was set up");
	*pin = l.pin;
	pin->byte += PAGE_BYTES;
	expect_refused(&l, &before, "not where it was set up");
	*pin = l.pin;
	strcpy(pin->identity, "SN_11");
	expect_refused(&l, &before, "not where it was set up");
	assert_ok(location_pin(&l, &before, &pins));
	assert_int_equal(pins.count, 1);
	assert_true(pins_same_place(&pins.pins[0], &l.pin));
	assert_ok(location_check_pin(&l, &pins));
	location_deinit(&l);
	/* It lies on no one disk any more: then its name must do. */
	machine.on_one_disk = false;
	assert_ok(location_find("/dev/vda1", &l));
	expect_refused(&l, &pins, "not where it was set up");
	before = pins;
	pins.count = 0;
	assert_ok(location_pin(&l, &before, &pins));
	assert_int_equal(pins.count, 0);
	location_deinit(&l);
}

static void expect_refused(const struct location *l, const struct pins *pins, const char *says)
{
	err_t e = location_check_pin(l, pins);

	assert_true(e && err_kind(e) == ERR_REFUSED);
	if (!strstr(err_text(e), says) || !strstr(err_text(e), "run dormouse setup"))
		fail_msg("%s", err_text(e));
	err_free(e);
}

static void test_check_pin(void **state)
{
	struct pins pins = {.count = 0};
	struct location l;
	struct pin good;

	(void)state;
	be_device();
	be_on("/dev/vda1", 100 * MIB, 0);
	assert_ok(location_find("/dev/vda1", &l));
	good = l.pin;
	expect_refused(&l, &pins, "no boot would find it");
	strcpy(l.pin.target, "/dev/vda2");
	assert_ok(pins_set(&pins, &l.pin));
	expect_refused(&l, &pins, "no boot would find it");
	assert_ok(pins_set(&pins, &good));
	l.pin = good;
	assert_ok(location_check_pin(&l, &pins));
	l.pin.byte += PAGE_BYTES;
	expect_refused(&l, &pins, "has moved");
	l.pin = good;
	l.pin.disk_bytes *= 2; /* another disk */
	expect_refused(&l, &pins, "another size or serial number");
	l.pin = good;
	l.pin.kind = PIN_HEAD;
	expect_refused(&l, &pins, "was not when it was set up");
	location_deinit(&l);
}

/* The same place, by another name: mv a b; ln -s b a. Or tune2fs -U. */
static void test_check_ext(void **state)
{
	struct pins pins = {.count = 0};
	struct location l;
	struct pin good;

	(void)state;
	be_file(10 * MIB, 64 * KIB, 20 * MIB);
	assert_ok(location_find("/var/img", &l));
	good = l.pin;
	assert_ok(pins_set(&pins, &good));
	assert_ok(location_check_ext(&l, &pins));
	strcpy(l.pin.ext_path, "/swap/other");
	assert_ok(location_check_pin(&l, &pins));
	assert_err(location_check_ext(&l, &pins), ERR_REFUSED);
	l.pin = good;
	l.pin.ext_uuid[0] = 'f';
	assert_err(location_check_ext(&l, &pins), ERR_REFUSED);
	l.pin = good;
	l.pin.ext_uuid[0] = l.pin.ext_path[0] = '\0'; /* cannot be told any more */
	assert_err(location_check_ext(&l, &pins), ERR_REFUSED);
	location_deinit(&l);
}

#define LOCATION_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOCATION_TEST(test_swap),	   LOCATION_TEST(test_device),
		LOCATION_TEST(test_swapfile),	   LOCATION_TEST(test_file),
		LOCATION_TEST(test_no_ext),	   LOCATION_TEST(test_bad_files),
		LOCATION_TEST(test_luks),	   LOCATION_TEST(test_nothing),
		LOCATION_TEST(test_check_pin),	   LOCATION_TEST(test_check_ext),
		LOCATION_TEST(test_device_pinned),
	};

	return cmocka_run_group_tests_name("location", tests, NULL, NULL);
}
