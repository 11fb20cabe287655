/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: orders of 19, or more than 63, believed; blocks
 * that are not aligned believed; pages inside of a free block looked at; marks over
 * the bitmap's end; offline or bad pages saved, or others taken for them; bit 0
 * for a hwpoison that does not exist; a root, map or root number that is not there
 * read; flags left in a section's map; the section's number not taken within its
 * root; batches all read from the first; parts of pages, or what is no RAM, looked
 * at; checks of numbers left out; what was found before an error kept;
 * exchanged pages free without a list, or without being free.
 */
#include "unit.h"

#include "fakekernel.h"
#include "memory/freepages.h"

/* 16 sections of 1 MiB; 4 of them to a root; struct pages of 64 bytes, laid
 * out unlike those of any kernel. */
#define SECTION_BITS 20
#define SECTION_SIZE 1024u
#define SECTION_MAP  24u
#define SECTIONS     16u
#define PAGE_SIZE_OF 64u
#define FLAGS	     8u
#define MAPCOUNT     52u
#define PRIVATE	     40u
#define BUDDY	     (-129)
#define OFFLINE	     (-257)
#define HWPOISON     22

#define VMEMMAP	     0xffffea0000000000ull
#define ROOTS	     0xffff888001230000ull
#define ROOT(i)	     (0xffff888002000000ull + (i)*0x10000ull)
#define PAGE_STRUCTS 0x100000u

struct machine {
	struct fakekernel k;
	struct range_list memory;
	uint64_t roots, root[4]; /* physical */
	bool wanted[FAKE_BYTES / PAGE_BYTES];
};

static uint8_t *page_struct(struct machine *m, uint64_t pfn)
{
	uint64_t at = pfn * PAGE_SIZE_OF;

	/* Pages of struct pages lie in descending order, so that each must be looked up. */
	return m->k.mem + PAGE_STRUCTS + (SECTIONS * 4 - 1 - at / PAGE_BYTES) * PAGE_BYTES +
	       at % PAGE_BYTES;
}

static void put(struct machine *m, uint64_t pfn, unsigned int at, int64_t value, size_t bytes)
{
	memcpy(page_struct(m, pfn) + at, &value, bytes);
}

static void make_buddy(struct machine *m, uint64_t pfn, uint64_t order)
{
	put(m, pfn, MAPCOUNT, BUDDY, 4);
	put(m, pfn, PRIVATE, (int64_t)order, 8);
}

/* The same, and it is to be found. */
static void make_free(struct machine *m, uint64_t pfn, unsigned int order)
{
	make_buddy(m, pfn, order);
	memset(m->wanted + pfn, 1, (size_t)1 << order);
}

static void say_all(struct fakekernel *k)
{
	fakekernel_say(k, "SYMBOL(mem_section)", (long long)ROOTS);
	fakekernel_say(k, "LENGTH(mem_section)", 4);
	fakekernel_say(k, "SIZE(mem_section)", SECTION_SIZE);
	fakekernel_say(k, "OFFSET(mem_section.section_mem_map)", SECTION_MAP);
	fakekernel_say(k, "NUMBER(SECTION_SIZE_BITS)", SECTION_BITS);
	fakekernel_say(k, "SIZE(page)", PAGE_SIZE_OF);
	fakekernel_say(k, "OFFSET(page.flags)", FLAGS);
	fakekernel_say(k, "OFFSET(page._mapcount)", MAPCOUNT);
	fakekernel_say(k, "OFFSET(page.private)", PRIVATE);
	fakekernel_say(k, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", BUDDY);
	fakekernel_say(k, "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", OFFLINE);
	fakekernel_say(k, "NUMBER(PG_hwpoison)", HWPOISON);
}

/* All pages in use: _mapcount -1. Every section is there. */
static void machine_init(struct machine *m, unsigned int levels)
{
	*m = (struct machine){0};
	fakekernel_init(&m->k, levels);
	say_all(&m->k);
	m->roots = fakekernel_page(&m->k);
	fakekernel_map(&m->k, ROOTS, m->roots, 1);
	for (unsigned int i = 0; i < 4; i++) {
		m->root[i] = fakekernel_page(&m->k);
		fakekernel_map(&m->k, ROOT(i), m->root[i], 1);
		fakekernel_words(&m->k, m->roots)[i] = ROOT(i);
	}
	for (unsigned int i = 0; i < SECTIONS; i++)
		*fakekernel_words(&m->k, m->root[i / 4] + i % 4 * SECTION_SIZE + SECTION_MAP) =
			VMEMMAP | 0x1b; /* with flags */
	for (unsigned int i = 0; i < SECTIONS * 4; i++)
		fakekernel_map(&m->k, VMEMMAP + i * PAGE_BYTES,
			       PAGE_STRUCTS + (SECTIONS * 4 - 1 - i) * PAGE_BYTES, 1);
	for (uint64_t pfn = 0; pfn < FAKE_BYTES / PAGE_BYTES; pfn++)
		put(m, pfn, MAPCOUNT, -1, 4);
	range_add(&m->memory, 0, 0x9fc00, RANGE_RAM);
	range_add(&m->memory, 0xa0000, 0x100000, RANGE_RESERVED);
	range_add(&m->memory, 0x100001, FAKE_BYTES, RANGE_RAM);
}

static void machine_deinit(struct machine *m)
{
	fakekernel_deinit(&m->k);
}

/* Exactly what is wanted is found. */
static void assert_found(struct machine *m)
{
	struct freepages f;
	uint64_t n = 0;

	assert_ok(freepages_find(&f, &m->k.physical, &m->k.info, &m->memory));
	for (uint64_t pfn = 0; pfn < FAKE_BYTES / PAGE_BYTES; pfn++, n += m->wanted[pfn - 1])
		if (freepages_has(&f, pfn) != m->wanted[pfn])
			fail_msg("pfn %#llx: %s", (unsigned long long)pfn,
				 m->wanted[pfn] ? "not found" : "called free");
	assert_int_equal(f.count, n);
	assert_false(freepages_has(&f, FAKE_BYTES / PAGE_BYTES));
	assert_false(freepages_has(&f, UINT64_MAX / PAGE_BYTES));
	freepages_deinit(&f);
}

/* It is refused, and nothing is called free. */
static void assert_refused(struct machine *m, enum err_kind kind)
{
	struct freepages f;

	assert_err(freepages_find(&f, &m->k.physical, &m->k.info, &m->memory), kind);
	assert_int_equal(f.count, 0);
	for (uint64_t pfn = 0; pfn < FAKE_BYTES / PAGE_BYTES; pfn++)
		assert_false(freepages_has(&f, pfn));
	freepages_deinit(&f);
}

static void make_sample(struct machine *m)
{
	make_free(m, 1, 0);
	make_free(m, 0x40, 3);
	make_free(m, 0x9e, 0);	 /* the last whole page of its range */
	make_buddy(m, 0x9f, 0);	 /* not RAM as a whole */
	make_buddy(m, 0xb0, 4);	 /* no RAM */
	make_buddy(m, 0x100, 0); /* nor this */
	make_free(m, 0x101, 0);
	make_free(m, 0x1ff, 0);	 /* the last of a section */
	make_free(m, 0x200, 8);	 /* a section */
	make_free(m, 0x400, 10); /* several */
	make_free(m, 0x830, 4);	 /* alone in a batch, and at its end */
	make_free(m, 0xffc, 1);
	make_free(m, 0xfff, 0); /* the last of all */
}

static void finds_free_pages(void **state)
{
	(void)state;
	for (unsigned int levels = 4; levels <= 5; levels++) {
		struct machine m;

		machine_init(&m, levels);
		assert_found(&m); /* none */
		make_sample(&m);
		assert_found(&m);
		machine_deinit(&m);
	}
}

/* Inside of a free block, struct pages may say anything: they are not looked at. */
static void skips_the_rest_of_a_block(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, 4);
	make_free(&m, 0x210, 4);
	make_buddy(&m, 0x218, 8);
	put(&m, 0x21f, FLAGS, 1 << HWPOISON, 8);
	assert_found(&m);
	machine_deinit(&m);
}

static void finds_struct_pages_in_huge_pages(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, 4);
	make_sample(&m);
	/* The same struct pages in ascending order, in one page of 2 MiB. */
	for (uint64_t pfn = 0; pfn < FAKE_BYTES / PAGE_BYTES; pfn++)
		memcpy(m.k.mem + 0x800000 + pfn * PAGE_SIZE_OF, page_struct(&m, pfn), PAGE_SIZE_OF);
	fakekernel_map(&m.k, VMEMMAP, 0x800000, 2);
	memset(m.k.mem + PAGE_STRUCTS, 0, SECTIONS * 4 * PAGE_BYTES);
	assert_found(&m);
	machine_deinit(&m);
}

static void believes_no_wrong_order(void **state)
{
	static const uint64_t orders[] = {19, 20, 63, 64, 65, 1ull << 32, UINT64_MAX};
	struct machine m;

	(void)state;
	machine_init(&m, 4);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++)
		make_buddy(&m, 0x300 + i * 2, orders[i]);
	make_buddy(&m, 0x341, 1);
	make_buddy(&m, 0x354, 3);
	make_buddy(&m, 0x480, 8);
	make_free(&m, 0x481, 0); /* what lies in it is looked at */
	assert_found(&m);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		make_buddy(&m, 0, orders[i]); /* 0 is aligned to all */
		assert_found(&m);
	}
	machine_deinit(&m);
}

/* The largest block reaches over the end of memory. */
static void keeps_to_memory(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, 4);
	make_buddy(&m, 0, 18);
	memset(m.wanted, 1, sizeof(m.wanted));
	assert_found(&m);
	machine_deinit(&m);
}

static void leaves_bad_and_offline_pages_out(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, 4);
	put(&m, 0x300, FLAGS, 1 << HWPOISON, 8);
	put(&m, 0x301, FLAGS, ~(1ll << HWPOISON), 8);
	put(&m, 0x302, MAPCOUNT, OFFLINE, 4);
	put(&m, 0x303, MAPCOUNT, OFFLINE - 1, 4);
	m.wanted[0x300] = m.wanted[0x302] = true;
	assert_found(&m);
	/* A kernel that has no such pages says nothing of them. */
	fakekernel_unsay(&m.k, "NUMBER(PG_hwpoison)");
	m.wanted[0x300] = false;
	assert_found(&m);
	fakekernel_unsay(&m.k, "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)");
	m.wanted[0x302] = false;
	assert_found(&m);
	machine_deinit(&m);
}

/* What is not there has no free pages: a section's map, a root, a root's number. */
static void skips_missing_sections(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, 4);
	make_free(&m, 0x1ff, 0);
	make_buddy(&m, 0x200, 4);
	make_free(&m, 0x300, 4);
	make_buddy(&m, 0x400, 4);
	make_free(&m, 0x800, 4);
	make_buddy(&m, 0xc00, 4);
	*fakekernel_words(&m.k, m.root[0] + 2 * SECTION_SIZE + SECTION_MAP) =
		0x1b; /* flags alone */
	fakekernel_words(&m.k, m.roots)[1] = 0;
	fakekernel_unsay(&m.k, "LENGTH(mem_section)");
	fakekernel_say(&m.k, "LENGTH(mem_section)", 3);
	fakekernel_words(&m.k, m.roots)[3] = 0x1234; /* nothing that could be read */
	assert_found(&m);
	machine_deinit(&m);
}

static void needs_every_line(void **state)
{
	static const char *const lines[] = {
		"SYMBOL(init_top_pgt)",
		"NUMBER(phys_base)",
		"NUMBER(pgtable_l5_enabled)",
		"SYMBOL(mem_section)",
		"LENGTH(mem_section)",
		"SIZE(mem_section)",
		"OFFSET(mem_section.section_mem_map)",
		"NUMBER(SECTION_SIZE_BITS)",
		"SIZE(page)",
		"OFFSET(page.flags)",
		"OFFSET(page._mapcount)",
		"OFFSET(page.private)",
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct machine m;

		machine_init(&m, 4);
		make_sample(&m);
		fakekernel_unsay(&m.k, lines[i]);
		assert_refused(&m, ERR_FORMAT);
		machine_deinit(&m);
	}
}

static void refuses_impossible_numbers(void **state)
{
	static const struct {
		const char *line;
		long long value;
	} wrong[] = {
		{"LENGTH(mem_section)", 0},
		{"LENGTH(mem_section)", -1},
		{"SIZE(mem_section)", 7},
		{"SIZE(mem_section)", 0},
		{"SIZE(mem_section)", 4097},
		{"SIZE(mem_section)", INT64_MIN},
		{"OFFSET(mem_section.section_mem_map)", -8},
		{"OFFSET(mem_section.section_mem_map)", SECTION_SIZE - 7},
		{"OFFSET(mem_section.section_mem_map)", INT64_MAX},
		{"NUMBER(SECTION_SIZE_BITS)", 11},
		{"NUMBER(SECTION_SIZE_BITS)", 64},
		{"NUMBER(SECTION_SIZE_BITS)", -1},
		{"SIZE(page)", 0},
		{"SIZE(page)", 129},
		{"SIZE(page)", 1ll << 32},
		{"OFFSET(page.flags)", -1},
		{"OFFSET(page.flags)", PAGE_SIZE_OF - 7},
		{"OFFSET(page._mapcount)", -1},
		{"OFFSET(page._mapcount)", PAGE_SIZE_OF - 3},
		{"OFFSET(page.private)", -1},
		{"OFFSET(page.private)", PAGE_SIZE_OF - 7},
		{"OFFSET(page.private)", INT64_MAX},
		{"NUMBER(PG_hwpoison)", 64},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct machine m;

		machine_init(&m, 4);
		make_sample(&m);
		fakekernel_unsay(&m.k, wrong[i].line);
		fakekernel_say(&m.k, wrong[i].line, wrong[i].value);
		assert_refused(&m, ERR_FORMAT);
		machine_deinit(&m);
	}
}

/* Half of it looked at is nothing found. */
static void finds_nothing_where_it_cannot_look(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, 4);
	make_sample(&m);
	*fakekernel_words(&m.k, m.root[3] + SECTION_MAP) = 0xffffeb0000000000;
	assert_refused(&m, ERR_CORRUPT);
	*fakekernel_words(&m.k, m.root[3] + SECTION_MAP) = VMEMMAP;
	assert_found(&m);
	fakekernel_words(&m.k, m.roots)[3] = ROOT(7); /* not mapped */
	assert_refused(&m, ERR_CORRUPT);
	fakekernel_words(&m.k, m.roots)[3] = ROOT(3);
	m.k.fail_at = PAGE_STRUCTS + 5;
	assert_refused(&m, ERR_IO);
	machine_deinit(&m);
}

static void frees_what_was_exchanged(void **state)
{
	uint32_t source[] = {0x801, 0x301, 0x302, 0x802, 0x303};
	struct exchanged x = {.known = true, .source_pfn = source};
	struct freepages f;
	struct machine m;

	(void)state;
	range_add(&x.windows, 0x210000, 0x211000, RANGE_RAM);
	range_add(&x.windows, 0x220000, 0x224000, RANGE_RAM);
	machine_init(&m, 4);
	make_free(&m, 0x210, 0);
	make_free(&m, 0x220, 1);
	make_free(&m, 0x302, 0);
	make_free(&m, 0x303, 0);
	assert_ok(freepages_find(&f, &m.k.physical, &m.k.info, &m.memory));
	x.known = false;
	freepages_add_exchanged(&f, &x);
	assert_int_equal(f.count, 5);
	x.known = true;
	freepages_add_exchanged(&f, &x);
	assert_true(freepages_has(&f, 0x801));	/* for 0x210 */
	assert_true(freepages_has(&f, 0x301));	/* for 0x220 */
	assert_true(freepages_has(&f, 0x302));	/* for 0x221, and was before */
	assert_false(freepages_has(&f, 0x802)); /* for 0x222, which is in use */
	assert_true(freepages_has(&f, 0x303));	/* was before */
	assert_int_equal(f.count, 7);
	freepages_deinit(&f);
	machine_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_free_pages),
		cmocka_unit_test(skips_the_rest_of_a_block),
		cmocka_unit_test(finds_struct_pages_in_huge_pages),
		cmocka_unit_test(believes_no_wrong_order),
		cmocka_unit_test(keeps_to_memory),
		cmocka_unit_test(leaves_bad_and_offline_pages_out),
		cmocka_unit_test(skips_missing_sections),
		cmocka_unit_test(needs_every_line),
		cmocka_unit_test(refuses_impossible_numbers),
		cmocka_unit_test(finds_nothing_where_it_cannot_look),
		cmocka_unit_test(frees_what_was_exchanged),
	};

	return cmocka_run_group_tests_name("freepages", tests, NULL, NULL);
}
