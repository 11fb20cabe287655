/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: zeros written; what is not known written;
 * pages behind or before a range written; the range's place taken for the
 * block's; memory written that is no RAM, or no whole page; order not checked; one
 * header too few; the file not made its full length. What becomes of the
 * file is base/newfile.h's; tried here is that it is used as it should be.
 */
#include "unit.h"

#include "elf/dump.h"
#include "elf/sink.h"
#include "elffile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define P     PAGE_BYTES
#define PAGES MEMORY_BLOCK_PAGES
#define BLOCK ((uint64_t)PAGES * P)

static const uint8_t notes[24] = {4, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 'X', 'Y', 'Z', 0, 'c'};

/* Pages 1 .. 0x9e and a part of 0x9f; then over two borders of blocks; one page;
 * less than a page; no RAM. */
static const struct range_list memory = {
	6,
	{
		{0x1000, 0x9f400, RANGE_RAM},
		{0xa0000, 0x100000, RANGE_RESERVED},
		{3 * BLOCK - 10 * P, 5 * BLOCK + 10 * P, RANGE_RAM},
		{5 * BLOCK + 20 * P, 5 * BLOCK + 21 * P, RANGE_RAM},
		{5 * BLOCK + 30 * P + 1, 5 * BLOCK + 31 * P + 5, RANGE_RAM},
		{6 * BLOCK, 7 * BLOCK, RANGE_PMEM},
	},
};

static char folder[64];
static char path[96], partial[112];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/unit-elfsink-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/dump.elf", folder);
	snprintf(partial, sizeof(partial), "%s.partial", path);
	return 0;
}

static int drop_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static bool exists(const char *name)
{
	struct stat st;

	return !lstat(name, &st);
}

static struct elfsink *create(void)
{
	struct elfsink *s;

	assert_ok(elfsink_create(path, false, &memory, notes, sizeof(notes), 2, &s));
	return s;
}

/* What a page is made to be. */
static uint8_t placed_of(uint64_t pfn)
{
	return (uint8_t[]){PLACED_DATA, PLACED_ZERO, PLACED_DATA, PLACED_DATA,
			   PLACED_NONE}[pfn % 5];
}

static void put_block(struct elfsink *s, unsigned int thread, uint64_t first_pfn, bool placed_known)
{
	struct memory_sink i = elfsink_interface(s);
	uint8_t placed[PAGES], *pages;

	assert_ok(i.map(i.self, thread, first_pfn, &pages));
	assert_int_equal((uintptr_t)pages % P, 0);
	for (uint64_t p = 0; p < PAGES; p++) {
		placed[p] = placed_of(first_pfn + p);
		for (uint64_t k = 0; k < P; k++)
			pages[p * P + k] = placed[p] == PLACED_ZERO
						   ? 0
						   : elffile_byte((first_pfn + p) * P + k);
	}
	assert_ok(i.unmap(i.self, thread, first_pfn, pages, placed_known ? placed : NULL));
}

static void check_memory(struct elfdump *d)
{
	struct physical mem = elfdump_physical(d);
	uint8_t page[P];

	for (size_t r = 0; r < d->memory.count; r++)
		for (uint64_t a = d->memory.r[r].start; a < d->memory.r[r].end; a += P) {
			bool data = placed_of(a / P) == PLACED_DATA;

			assert_ok(physical_read(&mem, a, page, P));
			for (uint64_t k = 0; k < P; k++)
				if (page[k] != (data ? elffile_byte(a + k) : 0))
					fail_msg("address %#llx", (unsigned long long)(a + k));
		}
}

static void writes_what_is_read_again(void **state)
{
	struct elfsink *s = create();
	struct elfdump d;
	struct stat st;

	(void)state;
	assert_true(exists(partial));
	put_block(s, 0, 0, true);
	put_block(s, 1, PAGES, true); /* page 0x9f is not there as a whole */
	put_block(s, 0, 2 * PAGES, true);
	put_block(s, 1, 5 * PAGES, true); /* three ranges */
	put_block(s, 0, 3 * PAGES, true);
	put_block(s, 1, 4 * PAGES, true);
	put_block(s, 0, 6 * PAGES, true); /* no RAM: nothing */
	assert_ok(elfsink_finish(s));
	elfsink_destroy(s);
	assert_false(exists(partial));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_ok(elfdump_open(&d, path));
	assert_int_equal(d.memory.count, 3);
	assert_int_equal(d.memory.r[0].start, 0x1000);
	assert_int_equal(d.memory.r[0].end, 0x9f000);
	assert_int_equal(d.memory.r[1].start, 3 * BLOCK - 10 * P);
	assert_int_equal(d.memory.r[2].end, 5 * BLOCK + 21 * P);
	assert_int_equal(d.notes_bytes, sizeof(notes));
	assert_memory_equal(d.notes, notes, sizeof(notes));
	check_memory(&d);
	elfdump_close(&d);
}

/* The bytes of the head, looked at without the code that reads dumps. Uses the
 * file that the test before this one left. */
static void writes_the_headers_that_tools_want(void **state)
{
	uint8_t head[4096];
	Elf64_Ehdr *h = (Elf64_Ehdr *)head;
	Elf64_Phdr *p = (Elf64_Phdr *)(head + 64);
	int fd = open(path, O_RDONLY);

	(void)state;
	assert_int_equal(pread(fd, head, sizeof(head), 0), sizeof(head));
	close(fd);
	assert_memory_equal(h->e_ident, "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(h->e_type, ET_CORE);
	assert_int_equal(h->e_machine, EM_X86_64);
	assert_int_equal(h->e_version, EV_CURRENT);
	assert_int_equal(h->e_phoff, 64);
	assert_int_equal(h->e_ehsize, 64);
	assert_int_equal(h->e_phentsize, 56);
	assert_int_equal(h->e_phnum, 4);
	assert_int_equal(h->e_shoff, 0);
	assert_int_equal(p[0].p_type, PT_NOTE);
	assert_int_equal(p[0].p_offset, 64 + 4 * 56);
	assert_int_equal(p[0].p_filesz, sizeof(notes));
	for (int i = 1; i < 4; i++) {
		assert_int_equal(p[i].p_type, PT_LOAD);
		assert_int_equal(p[i].p_flags, PF_R | PF_W | PF_X);
		assert_int_equal(p[i].p_vaddr, 0);
		assert_int_equal(p[i].p_align, 0);
		assert_int_equal(p[i].p_offset % P, 0);
		assert_int_equal(p[i].p_filesz, p[i].p_memsz);
	}
	assert_int_equal(p[1].p_offset, 4096);
}

static void refuses_what_is_there(void **state)
{
	struct elfsink *s;
	struct stat st;

	(void)state;
	assert_err(elfsink_create(path, false, &memory, notes, sizeof(notes), 1, &s), ERR_REFUSED);
	assert_false(exists(partial));
	assert_ok(elfsink_create(path, true, &memory, NULL, 0, 1, &s));
	assert_int_equal(stat(path, &st), 0); /* the old one, until the new one is whole */
	assert_true(st.st_blocks > 100);
	assert_ok(elfsink_finish(s));
	elfsink_destroy(s);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_blocks <= 16);
	assert_int_equal(unlink(path), 0);
}

/* One that comes up while the dump is written is not replaced. */
static void refuses_what_came_meanwhile(void **state)
{
	struct elfsink *s = create();
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	(void)state;
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_err(elfsink_finish(s), ERR_REFUSED);
	elfsink_destroy(s);
	assert_false(exists(partial));
	assert_true(exists(path));
	assert_int_equal(unlink(path), 0);
	/* Nor is a partial file of another run taken for ours, or removed. */
	s = create();
	assert_int_equal(unlink(partial), 0);
	close(open(partial, O_WRONLY | O_CREAT | O_EXCL, 0644));
	assert_err(elfsink_finish(s), ERR_REFUSED);
	elfsink_destroy(s);
	assert_false(exists(path));
	assert_true(exists(partial));
	/* The next run removes it. */
	s = create();
	elfsink_destroy(s);
	assert_false(exists(partial));
}

static void leaves_other_things_alone(void **state)
{
	struct elfsink *s;

	(void)state;
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_err(elfsink_create(path, true, &memory, NULL, 0, 1, &s), ERR_REFUSED);
	assert_int_equal(rename(path, partial), 0);
	assert_err(elfsink_create(path, true, &memory, NULL, 0, 1, &s), ERR_REFUSED);
	assert_int_equal(unlink(partial), 0);
	assert_err(elfsink_create("/nowhere/at/all", true, &memory, NULL, 0, 1, &s), ERR_IO);
}

static void leaves_nothing_unfinished(void **state)
{
	struct elfsink *s = create();

	(void)state;
	put_block(s, 0, 3 * PAGES, true);
	elfsink_destroy(s);
	elfsink_destroy(NULL);
	assert_false(exists(path));
	assert_false(exists(partial));
}

static uint64_t file_blocks(void)
{
	struct stat st;

	assert_int_equal(stat(partial, &st), 0);
	return (uint64_t)st.st_blocks;
}

static void leaves_holes(void **state)
{
	struct elfsink *s = create();
	struct memory_sink i = elfsink_interface(s);
	uint8_t placed[PAGES] = {0}, *pages;
	uint64_t before = file_blocks();
	struct stat st;

	(void)state;
	assert_int_equal(stat(partial, &st), 0);
	assert_int_equal(st.st_size, 4096 + (0x9e + 2 * PAGES + 20 + 1) * P);
	assert_ok(i.map(i.self, 0, 3 * PAGES, &pages));
	memset(pages, 0, BLOCK);
	memset(placed, PLACED_ZERO, sizeof(placed));
	assert_ok(i.unmap(i.self, 0, 3 * PAGES, pages, placed));
	assert_int_equal(file_blocks(), before);
	put_block(s, 0, 4 * PAGES, false); /* what was placed is not known: nothing */
	put_block(s, 0, 6 * PAGES, true);  /* no RAM */
	assert_int_equal(file_blocks(), before);
	/* One page is one page. */
	assert_ok(i.map(i.self, 0, 3 * PAGES, &pages));
	memset(pages, 1, BLOCK);
	placed[77] = PLACED_DATA;
	assert_ok(i.unmap(i.self, 0, 3 * PAGES, pages, placed));
	assert_true(file_blocks() > before && file_blocks() <= before + 8);
	elfsink_destroy(s);
}

static void refuses_memory_that_is_not_sorted(void **state)
{
	struct range_list m = {2, {{BLOCK, 2 * BLOCK, RANGE_RAM}, {0, BLOCK, RANGE_RAM}}};
	struct elfsink *s;

	(void)state;
	assert_err(elfsink_create(path, false, &m, NULL, 0, 1, &s), ERR_INVALID);
	m.r[1] = (struct range){2 * BLOCK - 1, 3 * BLOCK, RANGE_RAM};
	assert_err(elfsink_create(path, false, &m, NULL, 0, 1, &s), ERR_INVALID);
	m.r[1] = (struct range){2 * BLOCK, UINT64_MAX, RANGE_RAM};
	assert_err(elfsink_create(path, false, &m, NULL, 0, 1, &s), ERR_INVALID);
	m.r[1] = (struct range){2 * BLOCK, INT64_MAX, RANGE_RAM};
	assert_true(unit_is_err(elfsink_create(path, false, &m, NULL, 0, 1, &s)));
	assert_false(exists(partial));
}

/* As many ranges as there can be. */
static void writes_many_ranges(void **state)
{
	struct range_list m = {.count = 0};
	struct elfsink *s;
	struct elfdump d;

	(void)state;
	for (uint64_t i = 0; i < RANGE_MAX; i++)
		assert_true(range_add(&m, 2 * i * P, (2 * i + 1) * P, RANGE_RAM));
	assert_ok(elfsink_create(path, false, &m, notes, sizeof(notes), 1, &s));
	put_block(s, 0, 0, true);
	put_block(s, 0, PAGES, true);
	assert_ok(elfsink_finish(s));
	elfsink_destroy(s);
	assert_ok(elfdump_open(&d, path));
	assert_int_equal(d.memory.count, RANGE_MAX);
	check_memory(&d);
	elfdump_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_is_read_again),
		cmocka_unit_test(writes_the_headers_that_tools_want),
		cmocka_unit_test(refuses_what_is_there),
		cmocka_unit_test(refuses_what_came_meanwhile),
		cmocka_unit_test(leaves_other_things_alone),
		cmocka_unit_test(leaves_nothing_unfinished),
		cmocka_unit_test(leaves_holes),
		cmocka_unit_test(refuses_memory_that_is_not_sorted),
		cmocka_unit_test(writes_many_ranges),
	};

	return cmocka_run_group_tests_name("elfsink", tests, make_folder, drop_folder);
}
