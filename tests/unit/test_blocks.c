/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: the last block left out, a block listed twice;
 * what is no RAM listed or saved; parts of pages saved, at either end; blocks
 * counted from the wrong stretch; free pages by their number in the block.
 */
#include "unit.h"

#include "base/util.h"
#include "memory/blocks.h"

#define P     PAGE_BYTES
#define PAGES MEMORY_BLOCK_PAGES
#define BLOCK ((uint64_t)PAGES * P)

static const struct range_list no_windows;

/* What a page is, by looking at the lists one by one. */
static uint8_t wanted(const struct range_list *memory, const struct range_list *windows,
		      const struct freepages *f, uint64_t pfn)
{
	const struct range *r = range_holding(memory, pfn * P, (pfn + 1) * P);

	if (!r || r->type != RANGE_RAM || (f && freepages_has(f, pfn)) ||
	    range_holding(windows, pfn * P, (pfn + 1) * P))
		return PAGE_SKIP;
	return PAGE_SAVE;
}

/* Blocks are aligned, ascending, each once, and every page to save is in one. */
static void check(const struct range_list *memory, const struct range_list *windows,
		  const struct freepages *f, uint64_t blocks)
{
	struct blocks b;
	uint64_t end = 0, next = 0;

	blocks_init(&b, memory, windows, f);
	assert_int_equal(b.count, blocks);
	for (size_t i = 0; i < memory->count; i++)
		end = max_u64(end, memory->r[i].end / P);
	for (uint64_t i = 0; i < b.count; i++) {
		uint64_t pfn = blocks_first_pfn(&b, i);
		uint8_t classes[PAGES];

		assert_int_equal(pfn % PAGES, 0);
		assert_true(pfn >= next);
		for (; next < pfn; next++)
			assert_int_equal(wanted(memory, windows, f, next), PAGE_SKIP);
		blocks_classify(&b, i, classes);
		for (; next < pfn + PAGES; next++)
			assert_int_equal(classes[next - pfn], wanted(memory, windows, f, next));
	}
	for (; next < end; next++)
		assert_int_equal(wanted(memory, windows, f, next), PAGE_SKIP);
}

static void lists_blocks(void **state)
{
	struct range_list m = {0};

	(void)state;
	check(&m, &no_windows, NULL, 0);
	range_add(&m, 0x1000, 0x9fc00, RANGE_RAM);
	range_add(&m, 0x9fc00, 0xa0000, RANGE_RESERVED);
	check(&m, &no_windows, NULL, 2);
	range_add(&m, 0x100000, 4 * BLOCK + 1, RANGE_RAM); /* the last byte in a block of its own */
	check(&m, &no_windows, NULL, 5);
	range_add(&m, 5 * BLOCK, 6 * BLOCK, RANGE_RAM); /* whole */
	range_add(&m, 6 * BLOCK, 7 * BLOCK, RANGE_ACPI);
	range_add(&m, 9 * BLOCK - P, 9 * BLOCK + P, RANGE_RAM);
	check(&m, &no_windows, NULL, 8);
}

/* Two and more ranges of memory in one block. */
static void lists_a_block_once(void **state)
{
	struct range_list m = {0};

	(void)state;
	range_add(&m, 0, 10 * P, RANGE_RAM);
	range_add(&m, 12 * P, 14 * P, RANGE_RAM);
	range_add(&m, 14 * P, 15 * P, RANGE_NVS);
	range_add(&m, 20 * P, BLOCK + 5 * P, RANGE_RAM);
	range_add(&m, BLOCK + 7 * P, BLOCK + 9 * P, RANGE_RAM);
	range_add(&m, BLOCK + 11 * P, 3 * BLOCK, RANGE_RAM);
	range_add(&m, 3 * BLOCK, 3 * BLOCK + P, RANGE_RAM);
	check(&m, &no_windows, NULL, 4);
}

/* Only whole pages, of the memory and of the windows. */
static void leaves_windows_out(void **state)
{
	struct range_list m = {0}, w = {0};

	(void)state;
	range_add(&m, 100, 3 * BLOCK - 1, RANGE_RAM);
	range_add(&w, 5 * P, 9 * P, RANGE_RAM);
	range_add(&w, 20 * P + 1, 23 * P + 1, RANGE_RAM);
	range_add(&w, BLOCK - 2 * P, 2 * BLOCK + P, RANGE_RAM);
	check(&m, &w, NULL, 3);
}

static void leaves_free_pages_out(void **state)
{
	uint8_t bits[20] = {0x81, 0, 0xff, [15] = 0x80, [16] = 0x01, [19] = 0xff};
	struct freepages f = {.pfns = 8 * sizeof(bits) - 1, .bits = bits};
	struct range_list m = {0}, w = {0};

	(void)state;
	range_add(&m, 0, 3 * BLOCK, RANGE_RAM); /* more than the bitmap covers */
	check(&m, &no_windows, &f, 3);
	range_add(&w, 16 * P, 20 * P, RANGE_RAM);
	check(&m, &w, &f, 3);
	f = (struct freepages){0}; /* nothing known to be free */
	check(&m, &w, &f, 3);
}

/* As many stretches as ranges can be, and the numbers of their blocks. */
static void numbers_many_stretches(void **state)
{
	struct range_list m = {0};
	struct blocks b;

	(void)state;
	for (uint64_t i = 0; i < RANGE_MAX; i++)
		range_add(&m, 10 * i * BLOCK, (10 * i + 1 + i % 3) * BLOCK, RANGE_RAM);
	blocks_init(&b, &m, &no_windows, NULL);
	assert_int_equal(b.stretches, RANGE_MAX);
	for (uint64_t i = 0, n = 0; i < RANGE_MAX; i++)
		for (uint64_t k = 0; k < 1 + i % 3; k++)
			assert_int_equal(blocks_first_pfn(&b, n++), (10 * i + k) * PAGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_blocks),		  cmocka_unit_test(lists_a_block_once),
		cmocka_unit_test(leaves_windows_out),	  cmocka_unit_test(leaves_free_pages_out),
		cmocka_unit_test(numbers_many_stretches),
	};

	return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
