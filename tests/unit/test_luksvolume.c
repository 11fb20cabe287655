/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A LUKS partition in a file, made by libcryptsetup, on a made-up disk. Faults planted, each
 * found: the disk mapped, or its bytes on the partition; the partition's bytes told as the
 * disk's; a partition in two pieces, or on an encrypted device, taken; a mapping that a killed run
 * has left in the way; the mapping of an attempt that failed closed, or its key kept; a wrong key
 * file taken for a missing one; the mark forgotten.
 */
#include "unit.h"

#include "host/disks/luksvolume.h"

#include "base/util.h"
#include "host/disks/ondisk.h"
#include "keys/passphrase.h"
#include "keys/volume.h"
#include "luksfile.h"
#include "target/cryptmap.h"
#include "tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define PART	   ((dev_t)0x801)
#define DISK	   ((dev_t)0x800)
#define PART_AT	   (3 * MIB) /* on the disk */
#define DISK_BYTES (1024 * MIB)

static struct {
	struct tempfile device, key;
	bool has_key, busy, no_block, encrypted, cannot_map;
	uint32_t pieces;
	bool mapped; /* one is there, maybe of an earlier run */
	unsigned int closed;
	dev_t mapped_on;
	struct encrypted_area area;
} machine;

static int fake_access(const char *path, int mode)
{
	assert_string_equal(path, LUKSVOLUME_KEY);
	assert_int_equal(mode, R_OK);
	return machine.has_key ? 0 : -1;
}

static err_t load_key(const char *path, struct passphrase *p)
{
	assert_string_equal(path, LUKSVOLUME_KEY);
	return passphrase_load(machine.key.path, p);
}

static int open_device(const char *path, int flags)
{
	assert_true(flags & O_EXCL);
	errno = EBUSY;
	return machine.busy ? -1 : open(path, flags & ~O_EXCL);
}

static int fake_fstat(int fd, struct stat *st)
{
	assert_true(fd >= 0);
	*st = (struct stat){.st_mode = machine.no_block ? S_IFREG : S_IFBLK, .st_rdev = PART};
	return 0;
}

err_t ondisk_find(dev_t dev, struct ondisk *out)
{
	assert_true(dev == PART);
	memset(out, 0, sizeof(*out));
	out->count = machine.pieces;
	out->disk = DISK;
	out->disk_bytes = DISK_BYTES;
	out->encrypted = machine.encrypted;
	return NULL;
}

/* In two pieces it is cut in the middle. */
err_t ondisk_map(const struct ondisk *o, const struct extentlist *in, struct extentlist *out)
{
	const struct extent *e = in->list;

	assert_int_equal(in->count, 1);
	assert_int_equal(e->length % PAGE_BYTES, 0);
	if (o->count == 1)
		return extentlist_add(out, PART_AT + e->start, e->length);
	TRY(extentlist_add(out, PART_AT + e->start, e->length / 2));
	return extentlist_add(out, 500 * MIB, e->length - e->length / 2);
}

err_t cryptmap_open(const char *name, dev_t disk, const struct encrypted_area *area, char *path,
		    size_t n)
{
	assert_string_equal(name, "dormouse-target");
	if (machine.mapped || machine.cannot_map)
		return err_new(ERR_REFUSED, "busy, or there already");
	machine.mapped = true;
	machine.mapped_on = disk;
	machine.area = *area;
	snprintf(path, n, "/dev/dm-7");
	return NULL;
}

err_t cryptmap_close(const char *name)
{
	assert_string_equal(name, "dormouse-target");
	machine.mapped = false;
	machine.closed++;
	return NULL;
}

#define access		  fake_access
#define passphrase_load	  load_key
#define open(path, flags) open_device(path, flags)
#define fstat		  fake_fstat
#include "host/disks/extentlist.c"
#include "host/disks/luksvolume.c"
#undef open

static int setup(void **state)
{
	uint8_t key[64];

	(void)state;
	memset(&machine, 0, sizeof(machine));
	machine.has_key = true;
	machine.pieces = 1;
	tempfile_open(&machine.device, 0);
	luksfile_format(machine.device.path, CRYPT_LUKS2, key);
	tempfile_open(&machine.key, 0);
	assert_int_equal(pwrite(machine.key.fd, LUKSFILE_PASS, strlen(LUKSFILE_PASS), 0),
			 strlen(LUKSFILE_PASS));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tempfile_close(&machine.device);
	tempfile_close(&machine.key);
	return 0;
}

static void test_open(void **state)
{
	struct encrypted_area inside;
	struct luksvolume v;

	(void)state;
	machine.mapped = true; /* of a run that was killed */
	assert_ok(volume_open(machine.device.path, LUKSFILE_PASS, strlen(LUKSFILE_PASS), &inside));
	assert_ok(luksvolume_open(machine.device.path, &v));
	assert_string_equal(v.path, "/dev/dm-7");
	assert_string_equal(v.device, machine.device.path);
	assert_int_equal(v.disk_bytes, DISK_BYTES);
	assert_false(v.marked);
	/* The mapping is of the partition; the writer will make it of the disk. */
	assert_true(machine.mapped_on == PART);
	assert_memory_equal(&machine.area, &inside, sizeof(inside));
	inside.start += PART_AT;
	assert_memory_equal(v.area, &inside, sizeof(inside));
	machine.closed = 0;
	luksvolume_close(&v);
	assert_int_equal(machine.closed, 1);
	assert_false(machine.mapped);
	assert_null(v.area);
	luksvolume_close(&v); /* nothing is open any more */
	assert_int_equal(machine.closed, 1);
}

/* Nothing is mapped then, and no key kept. */
static void expect_error(enum err_kind kind, const char *says)
{
	struct luksvolume v;
	err_t e = luksvolume_open(machine.device.path, &v);

	assert_non_null(e);
	if (err_kind(e) != kind || !strstr(err_text(e), says))
		fail_msg("%s (%s)", err_text(e), err_kind_name(err_kind(e)));
	err_free(e);
	assert_null(v.area);
	assert_string_equal(v.path, "");
	assert_false(machine.mapped);
}

static void test_refused(void **state)
{
	(void)state;
	machine.busy = true;
	expect_error(ERR_REFUSED, "in use");
	machine.busy = false;
	machine.no_block = true;
	expect_error(ERR_INVALID, "no disk or partition");
	machine.no_block = false;
	machine.encrypted = true;
	expect_error(ERR_REFUSED, "itself on an encrypted device");
	machine.encrypted = false;
	machine.pieces = 2;
	expect_error(ERR_REFUSED, "2 pieces");
	machine.pieces = 1;
	machine.cannot_map = true;
	expect_error(ERR_REFUSED, "busy");
	machine.cannot_map = false;
	assert_int_equal(ftruncate(machine.device.fd, 0), 0);
	assert_int_equal(ftruncate(machine.device.fd, LUKSFILE_BYTES), 0);
	expect_error(ERR_FORMAT, "no LUKS");
}

static void test_key(void **state)
{
	(void)state;
	assert_ok(luksvolume_check("/dev/sda2"));
	assert_int_equal(pwrite(machine.key.fd, "X", 1, 2), 1);
	expect_error(ERR_AUTH, "no keyslot opens");
	assert_int_equal(ftruncate(machine.key.fd, 0), 0);
	expect_error(ERR_INVALID, "empty");
	machine.has_key = false;
	assert_err(luksvolume_check("/dev/sda2"), ERR_REFUSED);
	expect_error(ERR_REFUSED, "cryptsetup luksAddKey");
}

static void test_mark(void **state)
{
	struct luksvolume v;
	bool marked = false;

	(void)state;
	assert_ok(luksvolume_open(machine.device.path, &v));
	assert_ok(luksvolume_mark(&v, true));
	assert_true(v.marked);
	assert_ok(volume_marked(machine.device.path, &marked));
	assert_true(marked);
	assert_ok(luksvolume_mark(&v, false));
	assert_false(v.marked);
	assert_ok(luksvolume_mark(&v, true));
	assert_int_equal(ftruncate(machine.device.fd, 0), 0);
	assert_true(unit_is_err(luksvolume_mark(&v, false)));
	assert_true(v.marked); /* for all that is known */
	luksvolume_close(&v);
}

#define LUKSVOLUME_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LUKSVOLUME_TEST(test_open),
		LUKSVOLUME_TEST(test_refused),
		LUKSVOLUME_TEST(test_key),
		LUKSVOLUME_TEST(test_mark),
	};

	return cmocka_run_group_tests_name("luksvolume", tests, NULL, NULL);
}
