/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A swap area that is off, the whole of a disk, which is a file. Faults planted, each found: a
 * locator taken that is not of this very area, by whatever pin; the area's own not looked for; a
 * damaged one that is an error, so that one leftover stops every hibernation, or not told; one of
 * a newer version passed over; a filesystem over an area let through because of the locator.
 */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/util.h"
#include "formats/locator.h"
#include "host/disks/foreign.h"
#include "host/disks/held.h"
#include "host/disks/location.h"
#include "host/disks/stale.h"
#include "image/located.h"
#include "tempfile.h"

#include <stdio.h>

#define DISK_BYTES (1 * MIB)
#define AREA_AT	   (512 * KIB) /* where another area would be */
#define PAGE0	   (4 * KIB)

static const uint8_t nonce[NONCE_BYTES] = "nonce of image A";

/* As image_writer_run leaves it. */
static const struct slot whole = {
	.header = {16384, 100, 0x1234},
	.directory = {20480, 32, 0x5678},
	.image_end = 24576,
};

static struct {
	struct tempfile disk;
	uint64_t locator; /* where the area's own would be */
	bool on_one_disk;
} machine;

err_t location_find(const char *name, struct location *out)
{
	memset(out, 0, sizeof(*out));
	out->kind = LOCATION_DEVICE;
	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->disk.disk_name, sizeof(out->disk.disk_name), "%s", machine.disk.path);
	out->disk.count = machine.on_one_disk;
	return NULL;
}

void location_deinit(struct location *l)
{
	(void)l;
}

uint64_t location_locator(const struct location *l)
{
	return l->disk.count ? machine.locator : 0;
}

bool location_is_swap(const struct location *l)
{
	(void)l;
	return false;
}

const char *location_device(const struct location *l)
{
	return l->name;
}

err_t luksvolume_open(const char *device, struct luksvolume *out)
{
	(void)out;
	fail_msg("%s opened", device);
	return NULL;
}

void luksvolume_close(struct luksvolume *v)
{
	(void)v;
}

err_t luksvolume_mark(struct luksvolume *v, bool image)
{
	(void)v, (void)image;
	fail_msg("marked");
	return NULL;
}

#include "host/disks/foreign.c"
#include "host/disks/held.c"
#include "host/disks/stale.c"

static void put(uint64_t at, const void *bytes, size_t n)
{
	assert_int_equal(pwrite(machine.disk.fd, bytes, n, (off_t)at), (ssize_t)n);
}

/* mkswap's. */
static void make_area(uint64_t at)
{
	static const uint8_t zeros[PAGE0];

	put(at, zeros, sizeof(zeros));
	put(at + 1024, "\1\0\0\0\x3f", 5); /* version, last page */
	put(at + PAGE0 - 10, "SWAPSPACE2", 10);
}

/* An image in slots of the area that begins there. */
static void make_image(uint64_t area)
{
	const struct extent slots = {area + 64 * KIB, 64 * KIB};
	struct target t;
	struct commit c;

	make_area(area);
	assert_ok(located_create(machine.disk.path, &slots, 1, area + LOCATOR_AT, nonce, &t));
	assert_ok(commit_begin(&t, &c, nonce, 1));
	assert_ok(commit_valid(&t, &c, &whole));
	target_close(&t);
}

static int setup(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	tempfile_open(&machine.disk, DISK_BYTES);
	machine.locator = LOCATOR_AT;
	machine.on_one_disk = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tempfile_close(&machine.disk);
	return 0;
}

static void expect_held(unsigned int count, bool locator, bool damaged)
{
	struct held h;

	assert_ok(held_open(machine.disk.path, false, &h));
	assert_int_equal(h.count, count);
	assert_int_equal(h.locator, locator);
	assert_int_equal(!!h.list[0].locator, locator);
	assert_int_equal(*h.damaged != '\0', damaged);
	held_close(&h);
}

static enum slot_state state_in_slots(uint64_t area)
{
	struct target t;
	struct commit c;

	assert_ok(located_open(machine.disk.path, false, area + 64 * KIB + LOCATED_MAP_OFFSET, &t));
	assert_ok(commit_load(&t, &c));
	target_close(&t);
	return c.slot.state;
}

static void test_own(void **state)
{
	bool untouched = true, image;
	char why[256];

	(void)state;
	make_area(0);
	expect_held(1, false, false);
	make_image(0);
	expect_held(2, true, false);
	assert_ok(stale_look(machine.disk.path, &image, why, sizeof(why)));
	assert_true(image);
	assert_ok(stale_retire(machine.disk.path, &untouched));
	assert_false(untouched);
	assert_int_equal(state_in_slots(0), SLOT_RETIRED);
	expect_held(1, false, false);
	make_image(0);
	machine.on_one_disk = false; /* as what cannot be swap in use */
	expect_held(1, false, false);
}

/* On the same disk, of another area: it is that one's. */
static void test_others(void **state)
{
	bool untouched = true;

	(void)state;
	make_area(0);
	make_image(AREA_AT);
	expect_held(1, false, false);
	assert_ok(stale_retire(machine.disk.path, &untouched));
	assert_true(untouched);
	assert_int_equal(state_in_slots(AREA_AT), SLOT_VALID);
}

/* Nothing there can be resumed; who uses the area must know, and nobody else is stopped. */
static void test_damaged(void **state)
{
	bool untouched = true, image = true;
	char why[256];

	(void)state;
	make_image(0);
	tempfile_flip(&machine.disk, 64 * KIB + LOCATED_MAP_OFFSET + 100, 1);
	expect_held(1, false, true);
	assert_ok(stale_look(machine.disk.path, &image, why, sizeof(why)));
	assert_false(image);
	assert_non_null(strstr(why, "mkswap"));
	assert_ok(stale_retire(machine.disk.path, &untouched));
	assert_true(untouched);
	expect_held(1, false, true);
}

static void test_newer(void **state)
{
	uint8_t sector[LOCATOR_BYTES];
	struct held h;
	le32_t crc;

	(void)state;
	make_area(0);
	locator_encode(&(struct locator){.map = 64 * KIB}, sector);
	sector[8] = 9;
	crc = le32_of(crc32c(0, sector, 498));
	memcpy(sector + 498, &crc, sizeof(crc));
	put(LOCATOR_AT, sector, sizeof(sector));
	assert_err(held_open(machine.disk.path, false, &h), ERR_UNSUPPORTED);
}

/* The area is ours to use, but not what somebody has made over it. */
static void test_foreign(void **state)
{
	(void)state;
	make_area(0);
	assert_ok(foreign_check(machine.disk.path, false));
	make_image(0);
	assert_ok(foreign_check(machine.disk.path, true));
	assert_err(foreign_check(machine.disk.path, false), ERR_REFUSED);
	put(0, "LUKS\xba\xbe\0\1", 8);
	assert_err(foreign_check(machine.disk.path, true), ERR_REFUSED);
}

#define HELD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HELD_TEST(test_own),   HELD_TEST(test_others),	HELD_TEST(test_damaged),
		HELD_TEST(test_newer), HELD_TEST(test_foreign),
	};

	return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
