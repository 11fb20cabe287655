/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: the device's offset taken for the address; RAID1 let through; a
 * file over the edge of two chunks mapped as one piece; half an item believed; the same
 * chunk asked for again for ever; a place on another device, a seed, taken for one on this.
 */
#include "unit.h"

#include "host/disks/btrfschunks.c"
#include "host/disks/extentlist.c"

#define MB (1ull << 20)

struct item {
	struct btrfs_ioctl_search_header h;
	struct btrfs_chunk chunk;
} __attribute__((packed));

static struct item item(uint64_t logical, uint64_t length, uint64_t type, uint64_t offset)
{
	return (struct item){
		.h = {.objectid = BTRFS_FIRST_CHUNK_TREE_OBJECTID,
		      .offset = logical,
		      .type = BTRFS_CHUNK_ITEM_KEY,
		      .len = sizeof(struct btrfs_chunk)},
		.chunk = {.length = length,
			  .type = type,
			  .num_stripes = 1,
			  .stripe = {.devid = 1, .offset = offset}},
	};
}

static err_t take(const struct item *items, uint32_t count, size_t n, struct btrfschunks *out)
{
	uint8_t *exact = unit_copy(items, n);
	uint64_t next = 0;
	err_t e = btrfschunks_take(exact, n, count, out, &next);

	if (!e && count)
		assert_int_equal(next, items[count - 1].h.offset + 1);
	free(exact);
	return e;
}

static void test_map(void **state)
{
	const struct item items[] = {
		item(13 * MB, 8 * MB, BTRFS_BLOCK_GROUP_DATA, 100 * MB),
		item(21 * MB, 8 * MB, BTRFS_BLOCK_GROUP_DATA, 50 * MB),
		item(29 * MB, 8 * MB, BTRFS_BLOCK_GROUP_METADATA | BTRFS_BLOCK_GROUP_DUP, 200 * MB),
	};
	struct btrfschunks c = {.devid = 1};
	struct extentlist l = {0};

	(void)state;
	assert_ok(take(items, 3, sizeof(items), &c));
	assert_int_equal(c.count, 3);
	assert_ok(btrfschunks_map(&c, "/f", 20 * MB, 2 * MB, &l));
	assert_int_equal(l.count, 2);
	assert_int_equal(l.list[0].start, 107 * MB);
	assert_int_equal(l.list[0].length, MB);
	assert_int_equal(l.list[1].start, 50 * MB);
	assert_int_equal(l.list[1].length, MB);
	assert_err(btrfschunks_map(&c, "/f", 28 * MB, 2 * MB, &l), ERR_REFUSED);
	assert_err(btrfschunks_map(&c, "/f", 37 * MB, MB, &l), ERR_CORRUPT);
	assert_err(btrfschunks_map(&c, "/f", 12 * MB, MB, &l), ERR_CORRUPT);
	extentlist_deinit(&l);
	btrfschunks_deinit(&c);
}

/* A filesystem sprouted from a seed, whose chunks are all of device 1, onto device 2. */
static void test_seed(void **state)
{
	struct item items[] = {
		item(13 * MB, 8 * MB, BTRFS_BLOCK_GROUP_DATA, 100 * MB),
		item(21 * MB, 8 * MB, BTRFS_BLOCK_GROUP_DATA, 50 * MB),
	};
	struct btrfschunks c = {.devid = 2};
	struct extentlist l = {0};

	(void)state;
	items[1].chunk.stripe.devid = 2;
	assert_ok(take(items, 2, sizeof(items), &c));
	assert_ok(btrfschunks_map(&c, "/f", 21 * MB, MB, &l));
	assert_int_equal(l.list[0].start, 50 * MB);
	assert_err(btrfschunks_map(&c, "/f", 20 * MB, 2 * MB, &l), ERR_REFUSED);
	extentlist_deinit(&l);
	btrfschunks_deinit(&c);
}

static void test_bad(void **state)
{
	const struct item good = item(13 * MB, 8 * MB, BTRFS_BLOCK_GROUP_DATA, 100 * MB);
	struct item bad = good;
	struct btrfschunks c = {0};

	(void)state;
	for (size_t n = 0; n < sizeof(good); n++)
		assert_err(take(&good, 1, n, &c), ERR_CORRUPT);
	bad.h.len = sizeof(struct btrfs_chunk) - 1;
	assert_err(take(&bad, 1, sizeof(bad), &c), ERR_CORRUPT);
	bad = item(13 * MB, 0, BTRFS_BLOCK_GROUP_DATA, 100 * MB);
	assert_err(take(&bad, 1, sizeof(bad), &c), ERR_CORRUPT);
	bad = item(UINT64_MAX - MB, 8 * MB, BTRFS_BLOCK_GROUP_DATA, 100 * MB);
	assert_err(take(&bad, 1, sizeof(bad), &c), ERR_CORRUPT);
	assert_int_equal(c.count, 0);
	btrfschunks_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_seed),
	};

	return cmocka_run_group_tests_name("btrfschunks", tests, NULL, NULL);
}
