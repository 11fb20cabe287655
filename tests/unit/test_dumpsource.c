/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: parts of pages called RAM; pages without
 * content saved, also right before content; gaps inside of a page left as the
 * block before had them; a run ended too early; a file's early end called an I/O error.
 */
#include "unit.h"

#include "elf/dump.h"
#include "elffile.h"

#include <fcntl.h>

#define P     PAGE_BYTES
#define BLOCK ((uint64_t)MEMORY_BLOCK_PAGES * P)

struct opened {
	struct tempfile file;
	struct elfdump d;
	struct elfdump_source *s;
	struct memory_source i;
};

static void open_source(struct opened *o, struct elffile *f, const struct freepages *free_pages)
{
	elffile_write(f, &o->file, f->n);
	assert_ok(elfdump_open(&o->d, o->file.path));
	assert_ok(elfdump_source_create(&o->d, free_pages, 2, &o->s));
	o->i = elfdump_source_interface(o->s);
}

static void close_source(struct opened *o)
{
	elfdump_source_destroy(o->s);
	elfdump_source_destroy(NULL);
	elfdump_close(&o->d);
	tempfile_close(&o->file);
}

/* Is a byte of the machine in the file, and what is it? */
static uint8_t wanted_byte(const struct elffile *f, uint64_t address)
{
	for (unsigned int i = 0; i < f->h->e_phnum; i++)
		if (address - f->p[i].p_paddr < f->p[i].p_filesz)
			return elffile_byte(address);
	return 0;
}

/* A page: wholly in memory, with any of it in the file. All segments here that make up a
 * page lie in one run of memory, so a sum of bytes tells. */
static bool wanted_page(const struct elffile *f, uint64_t pfn)
{
	uint64_t memory = 0, file = 0;

	for (uint64_t a = pfn * P; a < (pfn + 1) * P; a++)
		for (unsigned int i = 0; i < f->h->e_phnum; i++) {
			memory += a - f->p[i].p_paddr < f->p[i].p_memsz;
			file += a - f->p[i].p_paddr < f->p[i].p_filesz;
		}
	return memory == P && file;
}

/* Every block of the source against the segments; returns the pages it saves. */
static uint64_t check_all(struct opened *o, const struct elffile *f,
			  const struct freepages *free_pages)
{
	uint64_t saved = 0;

	for (uint64_t b = 0; b < o->i.blocks; b++) {
		uint64_t pfn = o->i.first_pfn(o->i.self, b);
		uint8_t classes[MEMORY_BLOCK_PAGES], *pages;

		assert_true(!b || pfn > o->i.first_pfn(o->i.self, b - 1));
		o->i.classify(o->i.self, b, classes);
		assert_ok(o->i.map(o->i.self, b % 2, b, classes, &pages));
		assert_int_equal((uintptr_t)pages % P, 0);
		for (uint64_t p = 0; p < MEMORY_BLOCK_PAGES; p++) {
			bool save = wanted_page(f, pfn + p) &&
				    !(free_pages && freepages_has(free_pages, pfn + p));

			assert_int_equal(classes[p], save ? PAGE_SAVE : PAGE_SKIP);
			for (uint64_t i = 0; save && i < P; i++)
				if (pages[p * P + i] != wanted_byte(f, (pfn + p) * P + i))
					fail_msg("pfn %#llx byte %llu", (unsigned long long)pfn + p,
						 (unsigned long long)i);
			saved += save;
		}
		memset(pages, 0xa5, BLOCK); /* what the next block must not see */
		o->i.unmap(o->i.self, b % 2, pages);
	}
	return saved;
}

/* Segments over block borders, with holes, without content, cut inside of pages. */
static struct elffile sample(void)
{
	struct elffile f = elffile_new(9);

	f.n += 1; /* offsets are not aligned */
	elffile_load(&f, 0, 0x1000, 3 * P, 2 * P);
	elffile_load(&f, 1, BLOCK - 2 * P, 5 * P, 5 * P);
	f.n += 7;
	elffile_load(&f, 2, BLOCK + 3 * P, 4 * P, P + 9); /* joins */
	elffile_load(&f, 3, 9 * BLOCK + 20 * P, P, P);
	elffile_load(&f, 4, 9 * BLOCK + 22 * P + 100, 2 * P, 2 * P); /* one whole page */
	/* Two that meet inside of a page, as entries of a firmware map do. */
	elffile_load(&f, 5, 9 * BLOCK + 30 * P, P + 24, P + 24);
	f.n += 11;
	elffile_load(&f, 6, 9 * BLOCK + 31 * P + 24, 2 * P - 24, 2 * P - 24);
	elffile_load(&f, 7, 20 * BLOCK, 300 * P, 0);
	elffile_load(&f, 8, 20 * BLOCK + 300 * P, P, P);
	return f;
}

static void gives_what_is_in_the_file(void **state)
{
	struct elffile f = sample();
	struct opened o;

	(void)state;
	open_source(&o, &f, NULL);
	assert_int_equal(o.i.blocks, 2 + 1 + 3);
	for (int i = 0; i < 2; i++)
		assert_int_equal(check_all(&o, &f, NULL), 2 + 5 + 2 + 1 + 1 + 3 + 1);
	close_source(&o);
	elffile_free(&f);
}

static void leaves_free_pages_out(void **state)
{
	struct elffile f = sample();
	uint8_t bits[20 * 16] = {0};
	struct freepages free_pages = {.pfns = sizeof(bits) * 8, .bits = bits};
	struct opened o;

	(void)state;
	bits[0] = 1 << 2;  /* pfn 2 of 1 .. 3 */
	bits[16] = 1 << 0; /* the block's first page, amid content */
	open_source(&o, &f, &free_pages);
	assert_int_equal(check_all(&o, &f, &free_pages), 2 + 5 + 2 + 1 + 1 + 3 + 1 - 2);
	close_source(&o);
	elffile_free(&f);
}

/* Pages left out one by one make runs and gaps of every length. */
static void reads_runs_and_gaps(void **state)
{
	struct elffile f = elffile_new(2);
	uint8_t bits[32] = {0};
	struct freepages free_pages = {.pfns = sizeof(bits) * 8, .bits = bits};
	uint64_t seed = 5;

	(void)state;
	elffile_load(&f, 1, 40 * P, 80 * P, 80 * P);
	elffile_load(&f, 0, 120 * P, 40 * P, 40 * P);
	for (int round = 0; round < 40; round++) {
		struct opened o;

		for (size_t i = 0; i < sizeof(bits); i++)
			bits[i] = (uint8_t)(unit_random(&seed) >> 20) |
				  (round % 2 ? (uint8_t)(unit_random(&seed) >> 20) : 0);
		open_source(&o, &f, &free_pages);
		check_all(&o, &f, &free_pages);
		close_source(&o);
	}
	elffile_free(&f);
}

static void notices_a_file_that_shrinks(void **state)
{
	struct elffile f = sample();
	uint8_t classes[MEMORY_BLOCK_PAGES], *pages;
	struct opened o;

	(void)state;
	open_source(&o, &f, NULL);
	assert_int_equal(truncate(o.file.path, (off_t)(f.p[1].p_offset + 2 * P)), 0);
	o.i.classify(o.i.self, 0, classes);
	assert_ok(o.i.map(o.i.self, 0, 0, classes, &pages));
	o.i.classify(o.i.self, 1, classes);
	assert_err(o.i.map(o.i.self, 0, 1, classes, &pages), ERR_CORRUPT);
	close_source(&o);
	elffile_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_what_is_in_the_file),
		cmocka_unit_test(leaves_free_pages_out),
		cmocka_unit_test(reads_runs_and_gaps),
		cmocka_unit_test(notices_a_file_that_shrinks),
	};

	return cmocka_run_group_tests_name("dumpsource", tests, NULL, NULL);
}
