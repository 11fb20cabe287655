/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: each of the checks of extentmap.c left out, one after
 * the other (too many extents in a block: with SAN=1); further blocks not taken off the end;
 * the pages of one extent given out twice; the number of blocks counted before they were
 * taken off.
 */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/util.h"
#include "formats/extentmap.h"

#define DISK (1ull << 40)

static uint8_t blocks[EXTENTMAP_BLOCKS_MAX][EXTENTMAP_BYTES];

/* So many extents of so many pages each, with gaps, the last on the disk first. */
static struct extent *scattered(uint32_t count, uint32_t pages)
{
	struct extent *list = malloc((count + 1) * sizeof(*list));

	assert_non_null(list);
	for (uint32_t i = 0; i < count; i++)
		list[i] = (struct extent){MIB + (uint64_t)(count - i) * (pages + 1) * PAGE_BYTES,
					  (uint64_t)pages * PAGE_BYTES};
	return list;
}

static void plan(struct extentmap *m, uint32_t count, uint32_t pages)
{
	struct extent *list = scattered(count, pages);

	assert_ok(extentmap_plan(m, list, count));
	memset(m->nonce, 0x42, sizeof(m->nonce));
	m->locator = 8192 + 3584;
	memset(m->saved, 's', sizeof(m->saved));
	free(list);
}

static void encode_all(const struct extentmap *m)
{
	for (uint32_t i = 0; i < m->blocks; i++)
		extentmap_encode(m, i, blocks[i]);
}

static err_t decode_all(struct extentmap *m, uint64_t place)
{
	extentmap_init(m, place);
	for (uint32_t i = 0; !extentmap_complete(m); i++) {
		uint8_t *copy = unit_copy(blocks[i], EXTENTMAP_BYTES);
		err_t e = extentmap_add(m, copy);

		free(copy);
		if (e)
			return e;
	}
	return extentmap_check(m, DISK);
}

/* Decoding what is in blocks gives this error. */
static void assert_decodes(enum err_kind kind, uint64_t place)
{
	struct extentmap got;

	assert_err(decode_all(&got, place), kind);
	extentmap_deinit(&got);
}

static void reseal(uint8_t *block)
{
	le32_t crc = le32_of(crc32c(0, block, 4092));

	memcpy(block + 4092, &crc, sizeof(crc));
}

static void round_trip(uint32_t count, uint32_t pages, uint32_t want_blocks, uint64_t want_pages)
{
	struct extentmap m, got;
	uint64_t total = 0;

	plan(&m, count, pages);
	assert_int_equal(m.blocks, want_blocks);
	for (uint32_t i = 0; i < m.extent_count; i++)
		total += m.extents[i].length;
	assert_int_equal(total, want_pages * PAGE_BYTES);
	encode_all(&m);
	assert_ok(decode_all(&got, m.places[0]));
	assert_int_equal(got.extent_count, m.extent_count);
	assert_memory_equal(got.extents, m.extents, m.extent_count * sizeof(*m.extents));
	assert_memory_equal(got.places, m.places, m.blocks * sizeof(*m.places));
	assert_memory_equal(got.saved, m.saved, sizeof(m.saved));
	assert_memory_equal(got.nonce, m.nonce, sizeof(m.nonce));
	assert_int_equal(got.locator, m.locator);
	assert_err(extentmap_check(&got, m.extents[0].start), ERR_CORRUPT); /* a smaller disk */
	extentmap_deinit(&m);
	extentmap_deinit(&got);
}

static void test_round_trip(void **state)
{
	(void)state;
	round_trip(1, 100, 1, 100);
	round_trip(5, 1, 1, 5);
	round_trip(220, 3, 1, 660);
	round_trip(221, 3, 2, 662);
	/* What is taken makes the list shorter: then the page is given to nobody. */
	round_trip(221, 1, 1, 220);
	round_trip(222, 1, 2, 221);
	round_trip(30000, 2, 137, 60000 - 136);
	/* Every extent too many is left out. */
	round_trip(EXTENTS_MAX, 1, 297, EXTENTS_MAX - 296);
	round_trip(70000, 1, 297, EXTENTS_MAX - 296);
}

/* The blocks: in the address space only the first one is. */
static void test_places(void **state)
{
	struct extent *list = scattered(500, 3);
	struct extentmap m;

	(void)state;
	assert_ok(extentmap_plan(&m, list, 500));
	assert_int_equal(m.blocks, 3);
	assert_int_equal(m.places[0], list[1].start); /* the fourth page */
	assert_int_equal(m.places[1], list[499].start + 2 * PAGE_BYTES);
	assert_int_equal(m.places[2], list[499].start + PAGE_BYTES);
	assert_int_equal(m.extents[499].length, PAGE_BYTES);
	extentmap_deinit(&m);
	free(list);
}

static void test_too_small(void **state)
{
	struct extent *list = scattered(5, 1);
	struct extentmap m;

	(void)state;
	for (uint32_t n = 0; n < 5; n++)
		assert_err(extentmap_plan(&m, list, n), ERR_NOSPACE);
	assert_ok(extentmap_plan(&m, list, 5));
	extentmap_deinit(&m);
	free(list);
}

static void test_every_flip(void **state)
{
	struct extentmap m;

	(void)state;
	plan(&m, 300, 2);
	encode_all(&m);
	for (uint32_t b = 0; b < 2; b++)
		for (size_t bit = 0; bit < 8 * EXTENTMAP_BYTES; bit += bit < 8 * 600 ? 1 : 13) {
			blocks[b][bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_decodes(!b && bit < 64 ? ERR_FORMAT : ERR_CORRUPT, m.places[0]);
			blocks[b][bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	extentmap_deinit(&m);
}

/* A block whose end is that of something else. */
static void test_every_truncation(void **state)
{
	struct extentmap m;

	(void)state;
	plan(&m, 300, 2);
	encode_all(&m);
	for (uint32_t b = 0; b < 2; b++)
		for (size_t n = 0; n < EXTENTMAP_BYTES; n += n < 600 ? 1 : 37) {
			memset(blocks[b] + n, 0xee, EXTENTMAP_BYTES - n);
			assert_decodes(!b && n < 8 ? ERR_FORMAT : ERR_CORRUPT, m.places[0]);
			encode_all(&m);
		}
	extentmap_deinit(&m);
}

/* A map that is whole, and lies elsewhere: a copy. A file's, whose head is in pieces. One
 * of nothing but slots. */
static void test_elsewhere(void **state)
{
	struct extentmap m, got;

	(void)state;
	plan(&m, 300, 2);
	encode_all(&m);
	assert_decodes(ERR_CORRUPT, m.places[0] + PAGE_BYTES);
	extentmap_deinit(&m);
	plan(&m, 10, 2);
	m.locator = 0;
	memset(m.saved, 0, sizeof(m.saved));
	encode_all(&m);
	assert_decodes(ERR_CORRUPT, m.places[0]);
	extentmap_deinit(&m);
	plan(&m, 10, 4);
	m.locator = 0;
	memset(m.saved, 0, sizeof(m.saved));
	encode_all(&m);
	assert_ok(decode_all(&got, m.places[0]));
	extentmap_deinit(&got);
	m.extent_count = 1;
	encode_all(&m);
	assert_decodes(ERR_CORRUPT, m.places[0]);
	extentmap_deinit(&m);
}

static void set_field(uint8_t *block, size_t at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		block[at + i] = (uint8_t)(value >> 8 * i);
	reseal(block);
}

/* The block by itself, after those before it, is refused. */
static void assert_block_refused(const struct extentmap *m, uint32_t block, enum err_kind kind)
{
	uint8_t *copy = unit_copy(blocks[block], EXTENTMAP_BYTES);
	struct extentmap got;

	extentmap_init(&got, m->places[0]);
	for (uint32_t i = 0; i < block; i++)
		assert_ok(extentmap_add(&got, blocks[i]));
	assert_err(extentmap_add(&got, copy), kind);
	assert_int_equal(got.added, block); /* unchanged */
	extentmap_deinit(&got);
	free(copy);
}

/* One field made into something else, with the right checksum. */
static void forge(const struct extentmap *m, uint32_t block, size_t at, uint64_t value,
		  unsigned int bytes, enum err_kind kind)
{
	encode_all(m);
	set_field(blocks[block], at, value, bytes);
	assert_block_refused(m, block, kind);
}

/* So many extents, and nothing behind them. */
static void forge_count(const struct extentmap *m, uint32_t block, uint32_t count)
{
	encode_all(m);
	memset(blocks[block] + 568 + 16 * count, 0, 16 * (220 - count));
	set_field(blocks[block], 36, count, 4);
	assert_block_refused(m, block, ERR_CORRUPT);
}

/* The same, where it takes the whole map to see it. */
static void forge_whole(const struct extentmap *m, uint32_t block, size_t at, uint64_t value)
{
	encode_all(m);
	set_field(blocks[block], at, value, 8);
	assert_decodes(ERR_CORRUPT, m->places[0]);
}

static void test_forged(void **state)
{
	struct extentmap m;

	(void)state;
	plan(&m, 300, 2);
	for (uint32_t b = 0; b < 2; b++) {
		forge(&m, b, 8, 2, 4, ERR_UNSUPPORTED); /* version */
		forge(&m, b, 12, 2, 4, ERR_CORRUPT);	/* number */
		forge(&m, b, 12, !b, 4, ERR_CORRUPT);
		forge_whole(&m, b, 32, 3 | 220ull << 32); /* blocks */
		forge(&m, b, 32, b, 4, ERR_CORRUPT);
		forge(&m, b, 32, 299, 4, ERR_CORRUPT);
		forge(&m, b, 36, 0, 4, ERR_CORRUPT); /* extents */
		forge_count(&m, b, 0);
		forge(&m, b, 36, 221, 4, ERR_CORRUPT);
		forge(&m, b, 36, 79, 4, ERR_CORRUPT);
		forge(&m, b, 4088, 1, 4, ERR_CORRUPT); /* reserved */
		forge_whole(&m, b, 568, 512);	       /* of an extent: start */
		forge_whole(&m, b, 568, DISK);
		forge_whole(&m, b, 576, 0); /* length */
		forge_whole(&m, b, 576, UINT64_MAX - 4095);
		forge_whole(&m, b, 576, 4 * PAGE_BYTES); /* overlap */
	}
	forge_count(&m, 0, 219); /* and another block follows */
	forge(&m, 1, 32, 3, 4, ERR_CORRUPT);
	forge(&m, 0, 40, 0, 8, ERR_CORRUPT); /* the next block */
	forge(&m, 0, 40, 512, 8, ERR_CORRUPT);
	forge(&m, 0, 40, 1ull << 63, 8, ERR_CORRUPT);
	forge_whole(&m, 0, 40, m.extents[17].start); /* within the extents */
	forge(&m, 1, 40, 4096, 8, ERR_CORRUPT);
	forge(&m, 1, 16, 0x43, 1, ERR_CORRUPT);		/* of another image */
	forge(&m, 1, 568 + 16 * 80, 1, 1, ERR_CORRUPT); /* behind the last extent */
	forge(&m, 0, 48, 0, 8, ERR_CORRUPT);		/* no locator, and a saved sector */
	forge(&m, 0, 48, 4096, 8, ERR_CORRUPT);
	forge_whole(&m, 0, 48, m.extents[3].start + 3584);
	forge(&m, 1, 48, 8192 + 3584, 8, ERR_CORRUPT); /* in the second block */
	forge(&m, 1, 100, 1, 1, ERR_CORRUPT);
	memcpy(blocks[1], blocks[0], EXTENTMAP_BYTES); /* the first one once more */
	assert_block_refused(&m, 1, ERR_CORRUPT);
	extentmap_deinit(&m);
}

/* As many blocks as there may be have room for more extents than there may be. */
static void test_one_too_many(void **state)
{
	struct extentmap m = {.blocks = EXTENTMAP_BLOCKS_MAX, .extent_count = EXTENTS_MAX}, got;

	(void)state;
	m.extents = scattered(EXTENTS_MAX + 1, 1);
	for (uint32_t i = 0; i < m.blocks; i++)
		m.places[i] = (i + 1) * (uint64_t)PAGE_BYTES;
	encode_all(&m);
	extentmap_init(&got, m.places[0]);
	for (uint32_t i = 0; i < m.blocks; i++)
		assert_ok(extentmap_add(&got, blocks[i]));
	extentmap_deinit(&got);
	m.extent_count++;
	encode_all(&m);
	assert_block_refused(&m, m.blocks - 1, ERR_CORRUPT);
	extentmap_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),	 cmocka_unit_test(test_places),
		cmocka_unit_test(test_too_small),	 cmocka_unit_test(test_every_flip),
		cmocka_unit_test(test_every_truncation), cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_forged),		 cmocka_unit_test(test_one_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
