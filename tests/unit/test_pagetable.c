/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: 4 levels always; phys_base left out; entries
 * that are not present followed; bit 7 taken for a huge page at the top; bits above the
 * address kept; the rest of a page counted from its start; the remembered page
 * used one byte too far, or for every address; reads that go on over its end.
 */
#include "unit.h"

#include "fakekernel.h"
#include "memory/pagetable.h"

static const uint64_t bases[] = {0xffff888000000000, 0xffffffff00000000, 0xff11000000000000};

static void assert_walk(struct pagetable *t, uint64_t virtual, uint64_t physical, uint64_t left)
{
	uint64_t at, contiguous;

	assert_ok(pagetable_walk(t, virtual, &at, &contiguous));
	assert_int_equal(at, physical);
	assert_int_equal(contiguous, left);
}

static void walks(void **state)
{
	(void)state;
	for (unsigned int levels = 4; levels <= 5; levels++)
		for (size_t b = 0; b < ARRAY_LEN(bases); b++) {
			uint64_t v = bases[b], at, n;
			struct fakekernel k;
			struct pagetable t;

			fakekernel_init(&k, levels);
			fakekernel_map(&k, v, 0x123000, 1);
			fakekernel_map(&k, v + 0x1000, 0x77000, 1);
			fakekernel_map(&k, v + 0x200000, 0xa00000, 2);
			fakekernel_map(&k, v + 0x40000000, 0xf00000000000, 3);
			assert_ok(pagetable_init(&t, &k.physical, &k.info));
			/* There and back, since the last page is remembered. */
			for (int round = 0; round < 2; round++) {
				assert_walk(&t, v + 0x40000123, 0xf00000000123, GIB - 0x123);
				assert_walk(&t, v, 0x123000, 0x1000);
				assert_walk(&t, v + 0xfff, 0x123fff, 1);
				assert_walk(&t, v + 0x1000, 0x77000, 0x1000);
				assert_walk(&t, v + 0x200000, 0xa00000, 0x200000);
				assert_walk(&t, v + 0x3fffff, 0xbfffff, 1);
				assert_walk(&t, v + 0x7fffffff, 0xf0003fffffff, 1);
				assert_err(pagetable_walk(&t, v - 1, &at, &n), ERR_CORRUPT);
				assert_err(pagetable_walk(&t, v + 0x2000, &at, &n), ERR_CORRUPT);
				assert_err(pagetable_walk(&t, v + 0x400000, &at, &n), ERR_CORRUPT);
				assert_err(pagetable_walk(&t, v + 0x80000000, &at, &n),
					   ERR_CORRUPT);
				assert_err(pagetable_walk(&t, v + (1ull << 39), &at, &n),
					   ERR_CORRUPT);
			}
			fakekernel_deinit(&k);
		}
}

/* The bit that makes a page huge means nothing so far up. */
static void knows_no_larger_pages(void **state)
{
	struct fakekernel k;
	struct pagetable t;

	(void)state;
	fakekernel_init(&k, 4);
	fakekernel_map(&k, bases[0], 0x123000, 1);
	fakekernel_words(&k, FAKE_TOP)[bases[0] >> 39 & 511] |= 0x80;
	assert_ok(pagetable_init(&t, &k.physical, &k.info));
	assert_walk(&t, bases[0], 0x123000, 0x1000);
	fakekernel_deinit(&k);
}

static void reads_over_pages(void **state)
{
	uint64_t v = bases[0], seed = 3;
	uint8_t buf[2 * PAGE_BYTES];
	struct fakekernel k;
	struct pagetable t;

	(void)state;
	fakekernel_init(&k, 4);
	for (uint64_t i = 0x800000; i < 0x803000; i++)
		k.mem[i] = (uint8_t)unit_random(&seed);
	fakekernel_map(&k, v, 0x802000, 1);
	fakekernel_map(&k, v + 0x1000, 0x800000, 1);
	fakekernel_map(&k, v + 0x2000, 0x801000, 1);
	assert_ok(pagetable_init(&t, &k.physical, &k.info));
	assert_ok(pagetable_read(&t, v + 0xff0, buf, 0x1020));
	assert_memory_equal(buf, k.mem + 0x802ff0, 0x10);
	assert_memory_equal(buf + 0x10, k.mem + 0x800000, 0x1000);
	assert_memory_equal(buf + 0x1010, k.mem + 0x801000, 0x10);
	assert_err(pagetable_read(&t, v + 0x2ff0, buf, 0x11), ERR_CORRUPT);
	/* Errors of the memory itself go up as they are. */
	k.fail_at = 0x801fff;
	assert_err(pagetable_read(&t, v + 0x2ff0, buf, 0x10), ERR_IO);
	fakekernel_map(&k, v + 0x3000, FAKE_BYTES, 1);
	assert_err(pagetable_read(&t, v + 0x3000, buf, 1), ERR_FORMAT);
	k.fail_at = FAKE_TOP + (v >> 39 & 511) * 8;
	assert_err(pagetable_read(&t, v, buf, 1), ERR_IO);
	fakekernel_deinit(&k);
}

static void needs_every_line(void **state)
{
	static const char *const lines[] = {"SYMBOL(init_top_pgt)", "NUMBER(phys_base)",
					    "NUMBER(pgtable_l5_enabled)"};
	struct pagetable t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct fakekernel k;

		fakekernel_init(&k, 4);
		fakekernel_unsay(&k, lines[i]);
		assert_err(pagetable_init(&t, &k.physical, &k.info), ERR_FORMAT);
		fakekernel_deinit(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks),
		cmocka_unit_test(knows_no_larger_pages),
		cmocka_unit_test(reads_over_pages),
		cmocka_unit_test(needs_every_line),
	};

	return cmocka_run_group_tests_name("pagetable", tests, NULL, NULL);
}
