/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: RAID, multipath or a second disk not refused; what
 * dm-crypt is beneath one piece only forgotten; pieces that touch on the device alone
 * joined; a hole mapped; a place off the 4 KiB blocks let through.
 */
#include "unit.h"

#include "host/disks/extentlist.c"
#include "host/disks/ondisk.c"

/* What the code asks the machine for; nothing here calls it. */
err_t bottom_find(dev_t dev, uint64_t offset, uint64_t length, bottom_fn fn, void *ctx)
{
	(void)dev, (void)offset, (void)length, (void)fn, (void)ctx;
	return err_new(ERR_IO, "not here");
}

err_t stack_check(dev_t dev)
{
	(void)dev;
	return NULL;
}

bool stack_is_disk(dev_t dev)
{
	(void)dev;
	return true;
}

void stack_name(dev_t dev, char *name, size_t n)
{
	snprintf(name, n, "/dev/%d", (int)dev);
}

#define DISK ((dev_t)0xfe00)

static const struct bottom piece = {
	.disk = DISK, .folder = "/sys/dev/block/254:0", .bytes = 1ull << 40};

/* at, offset and length in blocks */
static err_t take(struct ondisk *o, struct bottom b, uint64_t at, uint64_t offset, uint64_t length)
{
	b.at = at * 4096;
	b.offset = offset * 4096;
	b.length = length * 4096;
	return ondisk_take(&b, o);
}

static struct ondisk *new (void)
{
	struct ondisk *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	strcpy(o->name, "/dev/dm-1");
	return o;
}

static void test_pieces(void **state)
{
	struct ondisk *o = new ();
	struct bottom b = piece;

	(void)state;
	assert_ok(take(o, piece, 0, 100, 10));
	assert_ok(take(o, piece, 10, 110, 10)); /* goes on */
	b.encrypted = true;
	assert_ok(take(o, b, 20, 50, 10));
	assert_ok(take(o, piece, 40, 60, 10)); /* after a hole, though next on the disk */
	assert_int_equal(o->count, 3);
	assert_int_equal(o->pieces[0].length, 20 * 4096);
	assert_true(o->encrypted);
	assert_true(o->disk == DISK);
	assert_int_equal(o->disk_bytes, 1ull << 40);
	free(o);
}

static void test_refused(void **state)
{
	struct ondisk *o = new ();
	struct bottom b = piece;

	(void)state;
	b.raid = true;
	assert_err(take(o, b, 0, 0, 1), ERR_REFUSED);
	b = piece;
	b.paths = true;
	assert_err(take(o, b, 0, 0, 1), ERR_REFUSED);
	assert_ok(take(o, piece, 0, 0, 1));
	b = piece;
	b.disk = makedev(254, 16);
	assert_err(take(o, b, 1, 1, 1), ERR_REFUSED);
	for (uint64_t i = 1; i < ONDISK_PIECES_MAX; i++)
		assert_ok(take(o, piece, i, 2 * i, 1));
	assert_err(take(o, piece, ONDISK_PIECES_MAX, 2 * ONDISK_PIECES_MAX, 1), ERR_REFUSED);
	free(o);
}

static void expect(const struct extentlist *l, uint32_t i, uint64_t start, uint64_t length)
{
	assert_true(i < l->count);
	assert_int_equal(l->list[i].start, start * 4096);
	assert_int_equal(l->list[i].length, length * 4096);
}

static void test_map(void **state)
{
	struct extentlist in = {0}, out = {0};
	struct ondisk *o = new ();

	(void)state;
	assert_ok(take(o, piece, 0, 100, 20));
	assert_ok(take(o, piece, 20, 50, 10));
	assert_ok(extentlist_add(&in, 25 * 4096, 2 * 4096));
	assert_ok(extentlist_add(&in, 18 * 4096, 4 * 4096)); /* over the edge */
	assert_ok(ondisk_map(o, &in, &out));
	assert_int_equal(out.count, 3);
	expect(&out, 0, 55, 2);
	expect(&out, 1, 118, 2);
	expect(&out, 2, 50, 2);
	extentlist_deinit(&in);
	assert_ok(extentlist_add(&in, 29 * 4096, 2 * 4096));
	assert_err(ondisk_map(o, &in, &out), ERR_REFUSED);
	extentlist_deinit(&in);
	extentlist_deinit(&out);
	free(o);
}

static void test_odd(void **state)
{
	struct extentlist in = {0}, out = {0};
	struct ondisk *o = new ();
	struct bottom b = piece;

	(void)state;
	b.offset = 63 * 512; /* as partitions once began */
	b.length = 100 * 4096;
	assert_ok(ondisk_take(&b, o));
	assert_ok(extentlist_add(&in, 0, 4096));
	assert_err(ondisk_map(o, &in, &out), ERR_REFUSED);
	extentlist_deinit(&in);
	extentlist_deinit(&out);
	free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests_name("ondisk", tests, NULL, NULL);
}
