/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Locator and extent map. Of a map that is taken, all that is written for the image lies on
 * the disk, apart from each other; and both say the same when they are encoded again.
 * Planted and found in 10 s: a reserved field, a place that is not aligned, extents that
 * overlap each other, the locator or a further block, or end behind the disk, a map in
 * another place than its own, a head in pieces, more entries than a block has, accepted.
 */
#include "fuzz.h"

#include "base/util.h"
#include "formats/extentmap.h"
#include "formats/locator.h"

#define BLOCKS 4u
#define DISK   (64 * MIB)

/* A part of the disk that something of the image lies in, and nothing else. */
static void check_apart(const struct extentmap *m, uint64_t start, uint64_t length, uint32_t self)
{
	fuzz_check(start % PAGE_BYTES == 0 && length % PAGE_BYTES == 0 && length);
	fuzz_check(start <= DISK && length <= DISK - start);
	for (uint32_t i = 0; i < m->extent_count; i++) {
		const struct extent *e = &m->extents[i];

		fuzz_check(i == self || start + length <= e->start ||
			   e->start + e->length <= start);
	}
}

static void check_map(const struct extentmap *m, const uint8_t *blocks)
{
	uint64_t total = 0, first = 0;
	uint8_t again[EXTENTMAP_BYTES];

	for (uint32_t i = 0; i < m->extent_count; i++) {
		const struct extent *e = &m->extents[i];

		check_apart(m, e->start, e->length, i);
		if (total <= EXTENTMAP_OFFSET && EXTENTMAP_OFFSET < total + e->length)
			first = e->start + EXTENTMAP_OFFSET - total;
		total += e->length;
	}
	fuzz_check(total > SLOT_DATA_START && first == m->places[0]);
	fuzz_check(m->locator || m->extents[0].length >= SLOT_DATA_START);
	if (m->locator)
		check_apart(m, m->locator - LOCATOR_AT, PAGE_BYTES, UINT32_MAX);
	for (uint32_t i = 0; i < m->blocks; i++) {
		if (i)
			check_apart(m, m->places[i], PAGE_BYTES, UINT32_MAX);
		extentmap_encode(m, i, again);
		fuzz_check(!memcmp(again, blocks + i * EXTENTMAP_BYTES, EXTENTMAP_BYTES));
	}
}

static void try_map(const uint8_t *blocks, uint64_t place)
{
	struct extentmap m;
	bool fine = true;

	extentmap_init(&m, place);
	while (fine && !extentmap_complete(&m) && m.added < BLOCKS) {
		uint32_t before = m.added;
		uint8_t *copy = fuzz_copy(blocks + m.added * EXTENTMAP_BYTES, EXTENTMAP_BYTES);

		fine = fuzz_fine(extentmap_add(&m, copy));
		fuzz_check(m.added == before + fine);
		free(copy);
	}
	if (fine && extentmap_complete(&m) && fuzz_fine(extentmap_check(&m, DISK)))
		check_map(&m, blocks);
	extentmap_deinit(&m);
}

/* What one block must have because of another, and its checksum. */
static void fix_block(uint8_t *blocks, uint32_t i)
{
	uint8_t *b = blocks + i * EXTENTMAP_BYTES;

	memcpy(b, blocks, 8);
	memcpy(b + 16, blocks + 16, 20);
	fuzz_put32(b + 12, i);
	fuzz_put32(b + 4092, crc32c(0, b, 4092));
}

/* Where the first block's own extents have it. */
static uint64_t own_place(const uint8_t *block)
{
	uint64_t offset = EXTENTMAP_OFFSET;

	for (uint32_t i = 0; i < EXTENTMAP_ENTRIES; i++) {
		uint64_t length = fuzz_get64(block + 576 + 16 * i);

		if (offset < length)
			return fuzz_get64(block + 568 + 16 * i) + offset;
		offset -= length;
	}
	return 0;
}

static void try_maps(const uint8_t *in, size_t n)
{
	uint8_t *blocks = malloc(BLOCKS * EXTENTMAP_BYTES), place[8];

	fuzz_check(blocks);
	fuzz_take(&in, &n, place, sizeof(place));
	fuzz_take(&in, &n, blocks, BLOCKS * EXTENTMAP_BYTES);
	try_map(blocks, fuzz_get64(place));
	for (uint32_t i = 0; i < BLOCKS; i++)
		fix_block(blocks, i);
	try_map(blocks, fuzz_get64(place));
	try_map(blocks, own_place(blocks));
	free(blocks);
}

static void try_locator(const uint8_t *in, bool sound)
{
	struct locator l = {.map = 0x5a5a5a5a5a5a5a5a};
	uint8_t *copy = fuzz_copy(in, LOCATOR_BYTES), again[LOCATOR_BYTES];

	if (sound)
		fuzz_put32(copy + 498, crc32c(0, copy, 498));
	if (fuzz_fine(locator_decode(copy, &l))) {
		fuzz_check(l.map && l.map % PAGE_BYTES == 0 && l.map <= INT64_MAX);
		locator_encode(&l, again);
		fuzz_check(!memcmp(again, copy, LOCATOR_BYTES));
	} else {
		fuzz_check(l.map == 0x5a5a5a5a5a5a5a5a);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	uint8_t kind, sector[LOCATOR_BYTES];

	fuzz_take(&in, &n, &kind, 1);
	if (kind & 1) {
		try_maps(in, n);
		return 0;
	}
	fuzz_take(&in, &n, sector, sizeof(sector));
	try_locator(sector, false);
	try_locator(sector, true);
	return 0;
}
