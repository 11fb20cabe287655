/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: sums of 64 bits (offset, address) and of 32
 * (note sizes) not checked for overflow; padding of a last note required, or left
 * as it was; the length of a note's name ignored; more bytes than memory
 * accepted; neighbours not joined; a nested segment ending the one around it;
 * segments not sorted; overlaps accepted, also of text that is not within; text
 * winning over memory; a section header outside of the file; any number of
 * program headers; notes limited one by one; an end taken as inclusive; physical reads
 * over a hole; a folder opened.
 */
#include "unit.h"

#include "elf/dump.h"
#include "elffile.h"

#include <fcntl.h>
#include <sys/stat.h>

#define P PAGE_BYTES

static const char info_text[] = "OSRELEASE=6.12.1\nSIZE(page)=64\n";

/* Open what was built, and free it; the file is gone at once. */
static err_t open_first(struct elffile *f, size_t n, struct elfdump *d)
{
	struct tempfile t;
	err_t e;

	elffile_write(f, &t, n);
	e = elfdump_open(d, t.path);
	tempfile_close(&t);
	return e;
}

static err_t open_it(struct elffile *f, struct elfdump *d)
{
	return open_first(f, f->n, d);
}

/* Two CPUs, vmcoreinfo, memory of 3 pages, a hole, and 2 pages; content not aligned. */
static struct elffile sample(void)
{
	struct elffile f = elffile_new(4);
	size_t from = f.n;
	uint8_t registers[336] = {7};

	elffile_note(&f, "CORE", NT_PRSTATUS, registers, sizeof(registers));
	elffile_note(&f, "CORE", NT_PRSTATUS, registers, sizeof(registers));
	elffile_notes(&f, 0, from);
	from = f.n;
	elffile_note(&f, "VMCOREINFO", 0, info_text, sizeof(info_text) - 1);
	elffile_note(&f, "QEMU", 0, registers, 8);
	elffile_notes(&f, 2, from);
	f.n += 5;
	/* Not in ascending order. */
	elffile_load(&f, 1, 0x100000, 2 * P, 2 * P);
	elffile_load(&f, 3, 0x1000, 3 * P, 3 * P);
	return f;
}

static void reads_a_dump(void **state)
{
	struct elffile f = sample();
	struct vmcoreinfo v;
	struct elfdump d;
	int64_t x;

	(void)state;
	assert_ok(open_it(&f, &d));
	assert_int_equal(d.memory.count, 2);
	assert_int_equal(d.memory.r[0].start, 0x1000);
	assert_int_equal(d.memory.r[0].end, 0x1000 + 3 * P);
	assert_int_equal(d.memory.r[0].type, RANGE_RAM);
	assert_int_equal(d.memory.r[1].start, 0x100000);
	assert_int_equal(d.memory.r[1].end, 0x100000 + 2 * P);
	assert_int_equal(d.segment_count, 2);
	assert_int_equal(d.segments[0].start, 0x1000);
	assert_int_equal(d.segments[0].offset, f.p[3].p_offset);
	assert_int_equal(d.cpus, 2);
	assert_int_equal(d.notes_bytes, f.p[0].p_filesz + f.p[2].p_filesz);
	assert_memory_equal(d.notes, f.b + f.p[0].p_offset, f.p[0].p_filesz);
	assert_memory_equal(d.notes + f.p[0].p_filesz, f.b + f.p[2].p_offset, f.p[2].p_filesz);
	assert_ok(elfdump_vmcoreinfo(&d, &v));
	assert_true(vmcoreinfo_get(&v, "SIZE(page)", &x));
	assert_int_equal(x, 64);
	elfdump_close(&d);
	elffile_free(&f);
}

static void refuses_each_wrong_field(void **state)
{
	static const struct {
		size_t at;
		uint8_t xor ;
		enum err_kind kind;
	} wrong[] = {
		{0, 1, ERR_FORMAT},
		{3, 0x80, ERR_FORMAT},
		{EI_CLASS, ELFCLASS64 ^ ELFCLASS32, ERR_UNSUPPORTED},
		{EI_DATA, ELFDATA2LSB ^ ELFDATA2MSB, ERR_UNSUPPORTED},
		{EI_VERSION, 3, ERR_UNSUPPORTED},
		{offsetof(Elf64_Ehdr, e_version) + 3, 1, ERR_UNSUPPORTED},
		{offsetof(Elf64_Ehdr, e_type), ET_CORE ^ ET_EXEC, ERR_UNSUPPORTED},
		{offsetof(Elf64_Ehdr, e_machine), 1, ERR_UNSUPPORTED},
		{offsetof(Elf64_Ehdr, e_machine) + 1, 1, ERR_UNSUPPORTED},
		{offsetof(Elf64_Ehdr, e_phentsize), 8, ERR_CORRUPT},
		{offsetof(Elf64_Ehdr, e_phnum), 4, ERR_UNSUPPORTED}, /* none */
		{offsetof(Elf64_Ehdr, e_phnum) + 1, 0xf0, ERR_CORRUPT},
		{offsetof(Elf64_Ehdr, e_phoff) + 3, 1, ERR_CORRUPT},
		{offsetof(Elf64_Ehdr, e_phoff) + 7, 0x80, ERR_CORRUPT},
		/* Of the second program header, a PT_LOAD. */
		{64 + 56 + offsetof(Elf64_Phdr, p_offset) + 7, 0xff, ERR_CORRUPT},
		{64 + 56 + offsetof(Elf64_Phdr, p_offset) + 3, 1, ERR_CORRUPT},
		{64 + 56 + offsetof(Elf64_Phdr, p_paddr) + 6, 0x10, ERR_CORRUPT},
		{64 + 56 + offsetof(Elf64_Phdr, p_paddr) + 7, 0xff, ERR_CORRUPT},
		{64 + 56 + offsetof(Elf64_Phdr, p_filesz) + 1, 0x10, ERR_CORRUPT},
		{64 + 56 + offsetof(Elf64_Phdr, p_filesz) + 7, 0xff, ERR_CORRUPT},
		{64 + 56 + offsetof(Elf64_Phdr, p_memsz) + 1, 0x30, ERR_CORRUPT},
		{64 + 56 + offsetof(Elf64_Phdr, p_memsz) + 7, 0xff, ERR_CORRUPT},
		/* Of the first, a PT_NOTE. */
		{64 + offsetof(Elf64_Phdr, p_offset) + 7, 0xff, ERR_CORRUPT},
		{64 + offsetof(Elf64_Phdr, p_offset), 4, ERR_CORRUPT},
		{64 + offsetof(Elf64_Phdr, p_filesz) + 7, 0xff, ERR_CORRUPT},
		{64 + offsetof(Elf64_Phdr, p_filesz) + 3, 1, ERR_CORRUPT},
		{64 + offsetof(Elf64_Phdr, p_filesz), 0x8, ERR_CORRUPT},
	};
	struct elffile f = sample();
	struct elfdump d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		err_t e;

		f.b[wrong[i].at] ^= wrong[i].xor ;
		e = open_it(&f, &d);
		if (!e || err_kind(e) != wrong[i].kind)
			fail_msg("byte %zu ^ 0x%x: %s", wrong[i].at, wrong[i].xor,
				 e ? err_text(e) : "no error");
		err_free(e);
		f.b[wrong[i].at] ^= wrong[i].xor ;
	}
	assert_ok(open_it(&f, &d));
	elfdump_close(&d);
	elffile_free(&f);
}

static void refuses_every_truncation(void **state)
{
	struct elffile f = sample();
	struct elfdump d;

	(void)state;
	for (size_t n = 0; n < f.n; n = n < 2048 ? n + 1 : n + 509)
		assert_err(open_first(&f, n, &d), n < SELFMAG ? ERR_FORMAT : ERR_CORRUPT);
	assert_err(open_first(&f, f.n - 1, &d), ERR_CORRUPT);
	assert_err(elfdump_open(&d, "/tmp"), ERR_INVALID);
	assert_err(elfdump_open(&d, "/dev/null"), ERR_INVALID);
	assert_err(elfdump_open(&d, "/nowhere/at/all"), ERR_IO);
	elfdump_close(&d);
	elffile_free(&f);
}

/* Any byte may be anything: an error or not, but nothing else. */
static void survives_every_wrong_byte(void **state)
{
	struct elffile f = sample();
	struct elfdump d;

	(void)state;
	for (size_t i = 0; i < f.p[1].p_offset; i++) {
		uint8_t was = f.b[i];

		for (unsigned int k = 0; k < 3; k++) {
			f.b[i] = (uint8_t[]){0, 0xff, was ^ 0x10}[k];
			if (!unit_is_err(open_it(&f, &d)))
				elfdump_close(&d);
		}
		f.b[i] = was;
	}
	elffile_free(&f);
}

static void joins_memory(void **state)
{
	struct elffile f = elffile_new(6);
	struct elfdump d;

	(void)state;
	/* Apart in the file, or without content, but neighbours in memory. */
	elffile_load(&f, 0, 0x3000, P, P);
	elffile_load(&f, 1, 0x1000, P, P);
	elffile_load(&f, 2, 0x2000, P, P);
	elffile_load(&f, 3, 0x4000, 2 * P, 0);
	elffile_load(&f, 4, 0x6000, 2 * P, P);
	elffile_load(&f, 5, 0x9000, 0, 0); /* nothing */
	f.p[5].p_offset = UINT64_MAX;	   /* of nothing */
	f.p[3].p_offset = UINT64_MAX;
	assert_ok(open_it(&f, &d));
	assert_int_equal(d.memory.count, 1);
	assert_int_equal(d.memory.r[0].start, 0x1000);
	assert_int_equal(d.memory.r[0].end, 0x8000);
	assert_int_equal(d.segment_count, 3); /* 1000 and 2000 follow each other in the file */
	assert_int_equal(d.segments[0].end, 0x3000);
	assert_int_equal(d.segments[2].start, 0x6000);
	assert_int_equal(d.segments[2].end, 0x7000);
	elfdump_close(&d);
	elffile_free(&f);
}

static void refuses_two_contents(void **state)
{
	struct elffile f = elffile_new(2);
	struct elfdump d;
	Elf64_Phdr text;

	(void)state;
	elffile_load(&f, 0, 0x1000, 4 * P, 4 * P);
	elffile_load(&f, 1, 0x2000, P, P);
	assert_err(open_it(&f, &d), ERR_CORRUPT);
	/* By one byte, on either side. */
	f.p[1].p_paddr = 0x5000 - 1;
	assert_err(open_it(&f, &d), ERR_CORRUPT);
	f.p[1].p_paddr = 1;
	assert_err(open_it(&f, &d), ERR_CORRUPT);
	/* A program's core dump has no physical addresses. */
	f.p[0].p_paddr = f.p[1].p_paddr = 0;
	assert_err(open_it(&f, &d), ERR_CORRUPT);
	/* The kernel's text, as /proc/vmcore has it, is in the other one as a whole... */
	f.p[0].p_paddr = 0x1000;
	f.p[1].p_paddr = 0x2000;
	f.p[1].p_vaddr = 0xffffffff81000000;
	assert_ok(open_it(&f, &d));
	assert_int_equal(d.segment_count, 1);
	assert_int_equal(d.segments[0].offset, f.p[0].p_offset);
	elfdump_close(&d);
	/* ... also at its start, or as all of it; or it is something else. */
	f.p[1].p_paddr = 0x1000;
	assert_ok(open_it(&f, &d));
	assert_int_equal(d.memory.r[0].end, 0x5000);
	elfdump_close(&d);
	f.p[1].p_filesz = f.p[1].p_memsz = f.p[0].p_filesz;
	f.p[1].p_offset = f.p[0].p_offset + 1;
	text = f.p[1];
	f.p[1] = f.p[0];
	f.p[0] = text;
	assert_ok(open_it(&f, &d));
	assert_int_equal(d.segments[0].offset, f.p[1].p_offset);
	elfdump_close(&d);
	f.p[0] = f.p[1];
	f.p[1] = text;
	f.p[1].p_filesz = f.p[1].p_memsz = P;
	f.p[1].p_paddr = 0x5000 - 1;
	assert_err(open_it(&f, &d), ERR_CORRUPT);
	/* The same bytes of the file by another virtual address: QEMU, with paging. */
	f.p[1] = f.p[0];
	f.p[1].p_paddr += P;
	f.p[1].p_offset += P;
	f.p[1].p_filesz = f.p[1].p_memsz -= P;
	assert_ok(open_it(&f, &d));
	assert_int_equal(d.segment_count, 1);
	assert_int_equal(d.segments[0].end, 0x5000);
	elfdump_close(&d);
	f.p[1].p_filesz = f.p[1].p_memsz = P;
	assert_ok(open_it(&f, &d));
	assert_int_equal(d.segments[0].end, 0x5000);
	assert_int_equal(d.memory.r[0].end, 0x5000);
	elfdump_close(&d);
	elffile_free(&f);
}

/* Sums that are small again because 64 bits are too few for them. */
static void refuses_sums_that_overflow(void **state)
{
	struct elffile f = elffile_new(1);
	struct elfdump d;

	(void)state;
	elffile_load(&f, 0, 0x1000, 4 * P, 4 * P);
	f.p[0].p_offset = -(uint64_t)f.p[0].p_filesz + 64;
	assert_err(open_it(&f, &d), ERR_CORRUPT);
	f.p[0].p_offset = f.n - 4 * P;
	f.p[0].p_paddr = -(uint64_t)f.p[0].p_memsz + P;
	assert_err(open_it(&f, &d), ERR_CORRUPT);
	f.p[0].p_paddr = (1ull << 52) - 4 * P;
	assert_ok(open_it(&f, &d));
	elfdump_close(&d);
	f.p[0].p_paddr += P;
	assert_err(open_it(&f, &d), ERR_CORRUPT);
	elffile_free(&f);
}

/* A segment of notes may end without the padding of its last note. */
static void joins_notes(void **state)
{
	struct elffile f = elffile_new(3);
	size_t from = f.n;
	struct elfdump d;

	(void)state;
	elffile_note(&f, "CORE", NT_PRSTATUS, "abcde", 5);
	f.n -= 3;
	elffile_notes(&f, 0, from);
	memset(f.b + f.n, 0x77, 8); /* of somebody else */
	f.n += 8;
	from = f.n;
	elffile_note(&f, "CORE", NT_PRSTATUS, "f", 1);
	elffile_notes(&f, 1, from);
	elffile_load(&f, 2, 0, P, 0);
	assert_ok(open_it(&f, &d));
	assert_int_equal(d.cpus, 2);
	assert_int_equal(d.notes_bytes, 28 + 24);
	assert_memory_equal(d.notes + 20, "abcde\0\0\0", 8);
	elfdump_close(&d);
	elffile_free(&f);
}

static void limits_the_pieces(void **state)
{
	struct elffile f = elffile_new(RANGE_MAX + 1);
	struct elfdump d;

	(void)state;
	for (unsigned int i = 0; i < RANGE_MAX + 1; i++)
		elffile_load(&f, i, 2ull * i * P, P, 16);
	assert_err(open_it(&f, &d), ERR_UNSUPPORTED);
	f.p[RANGE_MAX].p_type = PT_NULL;
	assert_ok(open_it(&f, &d));
	assert_int_equal(d.memory.count, RANGE_MAX);
	elfdump_close(&d);
	/* One fills a gap: less than before. */
	f.p[RANGE_MAX].p_type = PT_LOAD;
	f.p[RANGE_MAX].p_paddr = P;
	assert_ok(open_it(&f, &d));
	assert_int_equal(d.memory.count, RANGE_MAX - 1);
	elfdump_close(&d);
	elffile_free(&f);
}

/* The number of program headers is in a section header then. */
static void reads_more_than_65534_headers(void **state)
{
	struct elffile f = elffile_new(2);
	uint64_t at = 4096, n = 65600;
	struct tempfile t;
	struct elfdump d;
	Elf64_Shdr s = {.sh_info = (uint32_t)n};
	Elf64_Phdr p = {.p_type = PT_LOAD, .p_memsz = P};

	(void)state;
	f.h->e_phnum = PN_XNUM;
	f.h->e_shentsize = sizeof(s);
	f.h->e_shnum = 1;
	f.h->e_shoff = 512;
	f.h->e_phoff = at;
	memcpy(f.b + 512, &s, sizeof(s));
	f.n = 4096;
	elffile_write(&f, &t, f.n);
	for (uint64_t i = 0; i < n; i++, at += sizeof(p)) {
		p.p_paddr = i * P;
		assert_int_equal(pwrite(t.fd, &p, sizeof(p), (off_t)at), sizeof(p));
	}
	assert_ok(elfdump_open(&d, t.path));
	assert_int_equal(d.memory.r[0].end, n * P);
	elfdump_close(&d);
	/* The last one is cut off; the section header is nowhere; too many. */
	assert_int_equal(ftruncate(t.fd, (off_t)at - 1), 0);
	assert_err(elfdump_open(&d, t.path), ERR_CORRUPT);
	f.h->e_shoff = at;
	assert_int_equal(pwrite(t.fd, f.b, 64, 0), 64);
	assert_err(elfdump_open(&d, t.path), ERR_CORRUPT);
	f.h->e_shoff = 512;
	s.sh_info = UINT32_MAX;
	memcpy(f.b + 512, &s, sizeof(s));
	assert_int_equal(pwrite(t.fd, f.b, 4096, 0), 4096);
	assert_err(elfdump_open(&d, t.path), ERR_CORRUPT);
	/* In a file of holes they would all be there. */
	assert_int_equal(ftruncate(t.fd, (off_t)1 << 38), 0);
	assert_err(elfdump_open(&d, t.path), ERR_UNSUPPORTED);
	tempfile_close(&t);
	elffile_free(&f);
}

static void limits_the_notes(void **state)
{
	struct elffile f = elffile_new(3);
	struct tempfile t;
	struct elfdump d;
	Elf64_Nhdr h = {4, ELFDUMP_NOTES_MAX - 16, 1};

	(void)state;
	elffile_load(&f, 0, 0, P, P);
	f.p[1] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = 8192, .p_filesz = ELFDUMP_NOTES_MAX};
	memcpy(f.b + 8192, &h, sizeof(h));
	elffile_write(&f, &t, 16384);
	assert_int_equal(ftruncate(t.fd, 2 << 20), 0);
	assert_ok(elfdump_open(&d, t.path));
	assert_int_equal(d.notes_bytes, ELFDUMP_NOTES_MAX);
	elfdump_close(&d);
	f.p[2] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = 8192, .p_filesz = 1};
	assert_int_equal(pwrite(t.fd, f.b, 4096, 0), 4096);
	assert_err(elfdump_open(&d, t.path), ERR_UNSUPPORTED);
	tempfile_close(&t);
	elffile_free(&f);
}

/* Notes as bytes, without a file around them. */
static void checks_notes(void **state)
{
	static const uint32_t impossible[] = {0x7fffffff, 0xfffffff0, 0xfffffffc, 0xffffffff};
	struct elffile f = elffile_new(0);
	size_t from = f.n, n;
	struct vmcoreinfo v;
	uint8_t *notes;

	(void)state;
	elffile_note(&f, "CORE", NT_PRSTATUS, "abcdef", 6);
	elffile_note(&f, "VMCOREINFO", 0, info_text, sizeof(info_text) - 1);
	n = f.n - from;
	notes = unit_copy(f.b + from, n);
	assert_ok(elfdump_find_vmcoreinfo(notes, n, &v));
	assert_string_equal(v.text, info_text);
	/* Without the padding of the last one, too. */
	assert_ok(elfdump_find_vmcoreinfo(notes, n - 3 + (sizeof(info_text) + 2) % 4, &v));
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < ARRAY_LEN(impossible); k++) {
			memcpy(notes + i * 4, &impossible[k], 4);
			assert_err(elfdump_find_vmcoreinfo(notes, n, &v), ERR_CORRUPT);
			memcpy(notes, f.b + from, 12);
		}
	/* A name that begins like it. */
	memcpy(notes + 12, "VMCOREINFO", 11);
	notes[0] = 12;
	assert_err(elfdump_find_vmcoreinfo(notes, 30, &v), ERR_FORMAT);
	free(notes);
	for (size_t i = 0; i + 4 < n; i++) {
		notes = unit_copy(f.b + from, i);
		assert_true(unit_is_err(elfdump_find_vmcoreinfo(notes, i, &v)));
		free(notes);
	}
	assert_err(elfdump_find_vmcoreinfo(NULL, 0, &v), ERR_FORMAT);
	assert_err(elfdump_find_vmcoreinfo(f.b + from, 28, &v), ERR_FORMAT);
	assert_ok(elfdump_find_vmcoreinfo(f.b + from + 28, n - 28, &v));
	elffile_free(&f);
}

static void reads_physical_memory(void **state)
{
	struct elffile f = elffile_new(4);
	struct physical mem;
	struct elfdump d;
	uint8_t buf[3 * P];

	(void)state;
	elffile_load(&f, 0, 0x1000, P, P);
	f.n += 3;
	elffile_load(&f, 1, 0x2000, 2 * P, P + 5);
	elffile_load(&f, 2, 0x8000, P, P);
	assert_ok(open_it(&f, &d));
	mem = elfdump_physical(&d);
	assert_ok(physical_read(&mem, 0x1ffb, buf, P + 10)); /* over the seam */
	for (size_t i = 0; i < P + 10; i++)
		assert_int_equal(buf[i], elffile_byte(0x1ffb + i));
	assert_err(physical_read(&mem, 0x1ffb, buf, P + 11), ERR_FORMAT);
	assert_err(physical_read(&mem, 0xfff, buf, 2), ERR_FORMAT);
	assert_err(physical_read(&mem, 0x7fff, buf, 2), ERR_FORMAT);
	assert_ok(physical_read(&mem, 0x8fff, buf, 1));
	assert_err(physical_read(&mem, 0x9000, buf, 1), ERR_FORMAT);
	assert_err(physical_read(&mem, UINT64_MAX - 2, buf, 8), ERR_FORMAT);
	elfdump_close(&d);
	elffile_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_dump),
		cmocka_unit_test(refuses_each_wrong_field),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(survives_every_wrong_byte),
		cmocka_unit_test(joins_memory),
		cmocka_unit_test(refuses_two_contents),
		cmocka_unit_test(refuses_sums_that_overflow),
		cmocka_unit_test(joins_notes),
		cmocka_unit_test(limits_the_pieces),
		cmocka_unit_test(reads_more_than_65534_headers),
		cmocka_unit_test(limits_the_notes),
		cmocka_unit_test(checks_notes),
		cmocka_unit_test(reads_physical_memory),
	};

	return cmocka_run_group_tests_name("elfdump", tests, NULL, NULL);
}
