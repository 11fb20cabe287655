/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "elf/sink.h"

#include "base/io.h"
#include "base/newfile.h"
#include "base/util.h"
#include "elf/disk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES ((size_t)MEMORY_BLOCK_PAGES * PAGE_BYTES)

struct elfsink {
	struct newfile file;
	struct range_list memory; /* whole pages of RAM */
	uint64_t offset[RANGE_MAX];
	uint64_t bytes; /* of the whole file */
	size_t notes_bytes;
	uint8_t *buffers; /* BLOCK_BYTES for each thread */
};

static uint64_t phdrs_end(const struct elfsink *s)
{
	return sizeof(struct elf_header_disk) +
	       (s->memory.count + 1) * sizeof(struct elf_phdr_disk);
}

/* Which memory comes where. */
static err_t lay_out(struct elfsink *s, const struct range_list *memory, size_t notes_bytes)
{
	uint64_t last = 0;

	for (size_t i = 0; i < memory->count; i++) {
		const struct range *r = &memory->r[i];

		if (r->start < last || r->end < r->start || r->end > INT64_MAX)
			return err_new(ERR_INVALID, "the memory of the dump is not sorted");
		last = r->end;
		if (r->type == RANGE_RAM)
			(void)range_add(&s->memory, align_up(r->start, PAGE_BYTES),
					align_down(r->end, PAGE_BYTES), RANGE_RAM);
	}
	s->bytes = align_up(phdrs_end(s) + notes_bytes, PAGE_BYTES);
	for (size_t i = 0; i < s->memory.count; i++) {
		s->offset[i] = s->bytes;
		s->bytes += s->memory.r[i].end - s->memory.r[i].start;
	}
	return s->bytes <= INT64_MAX ? NULL : err_new(ERR_INVALID, "more memory than a file holds");
}

static struct elf_header_disk make_header(const struct elfsink *s)
{
	return (struct elf_header_disk){
		.ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.type = le16_of(ET_CORE),
		.machine = le16_of(EM_X86_64),
		.version = le32_of(EV_CURRENT),
		.phoff = le64_of(sizeof(struct elf_header_disk)),
		.ehsize = le16_of(sizeof(struct elf_header_disk)),
		.phentsize = le16_of(sizeof(struct elf_phdr_disk)),
		.phnum = le16_of((uint16_t)(s->memory.count + 1)),
	};
}

/* Virtual addresses and alignment 0, as QEMU writes them; readable, writable
 * and executable, as /proc/vmcore has it. */
static struct elf_phdr_disk make_load(const struct range *r, uint64_t offset)
{
	return (struct elf_phdr_disk){
		.type = le32_of(PT_LOAD),
		.flags = le32_of(PF_R | PF_W | PF_X),
		.offset = le64_of(offset),
		.paddr = le64_of(r->start),
		.filesz = le64_of(r->end - r->start),
		.memsz = le64_of(r->end - r->start),
	};
}

/* All that lies before the memory. */
static err_t write_head(const struct elfsink *s, const uint8_t *notes, size_t notes_bytes)
{
	struct elf_phdr_disk p[RANGE_MAX + 1] = {{
		.type = le32_of(PT_NOTE),
		.offset = le64_of(phdrs_end(s)),
		.filesz = le64_of(notes_bytes),
		.memsz = le64_of(notes_bytes),
		.align = le64_of(4),
	}};
	struct elf_header_disk h = make_header(s);

	for (size_t i = 0; i < s->memory.count; i++)
		p[i + 1] = make_load(&s->memory.r[i], s->offset[i]);
	TRY(io_pwrite(s->file.fd, &h, sizeof(h), 0, s->file.partial));
	TRY(io_pwrite(s->file.fd, p, phdrs_end(s) - sizeof(h), sizeof(h), s->file.partial));
	return io_pwrite(s->file.fd, notes, notes_bytes, phdrs_end(s), s->file.partial);
}

err_t elfsink_create(const char *path, bool replace, const struct range_list *memory,
		     const uint8_t *notes, size_t notes_bytes, unsigned int threads,
		     struct elfsink **out)
{
	struct elfsink *s = calloc(1, sizeof(*s));
	err_t e;

	if (!s)
		return err_new(ERR_NOMEM, "writing %s", path);
	s->file.fd = -1;
	s->notes_bytes = notes_bytes;
	s->buffers = aligned_alloc(PAGE_BYTES, threads * BLOCK_BYTES);
	e = s->buffers ? lay_out(s, memory, notes_bytes)
		       : err_new(ERR_NOMEM, "buffers to write %s", path);
	if (!e)
		e = newfile_create(&s->file, path, replace);
	if (!e && ftruncate(s->file.fd, (off_t)s->bytes))
		e = err_errno("making %s %llu bytes long", s->file.partial,
			      (unsigned long long)s->bytes);
	if (!e)
		e = write_head(s, notes, notes_bytes);
	if (e) {
		elfsink_destroy(s);
		return e;
	}
	*out = s;
	return NULL;
}

static err_t map(void *self, unsigned int thread, uint64_t first_pfn, uint8_t **pages)
{
	struct elfsink *s = self;

	(void)first_pfn;
	*pages = s->buffers + thread * BLOCK_BYTES;
	return NULL;
}

/* The pages [i, end) of a block, all of one range: what has content, in runs. */
static err_t write_runs(const struct elfsink *s, uint64_t offset, const uint8_t *pages,
			const uint8_t *placed, size_t i, size_t end)
{
	for (size_t run; i < end; i = run) {
		run = i + 1;
		if (placed[i] != PLACED_DATA)
			continue;
		while (run < end && placed[run] == PLACED_DATA)
			run++;
		TRY(io_pwrite(s->file.fd, pages + i * PAGE_BYTES, (run - i) * PAGE_BYTES,
			      offset + i * PAGE_BYTES, s->file.partial));
	}
	return NULL;
}

static err_t unmap(void *self, unsigned int thread, uint64_t first_pfn, uint8_t *pages,
		   const uint8_t *placed)
{
	struct elfsink *s = self;
	uint64_t block = first_pfn << PAGE_BITS;

	(void)thread;
	for (size_t i = 0; placed && i < s->memory.count; i++) {
		const struct range *r = &s->memory.r[i];
		uint64_t start = max_u64(r->start, block),
			 end = min_u64(r->end, block + BLOCK_BYTES);

		/* The block's place in the file may begin before the range's, even
		 * before the file's: the sum with a page of the range does not. */
		if (start < end)
			TRY(write_runs(s, s->offset[i] + block - r->start, pages, placed,
				       (start - block) >> PAGE_BITS, (end - block) >> PAGE_BITS));
	}
	return NULL;
}

struct memory_sink elfsink_interface(struct elfsink *s)
{
	return (struct memory_sink){s, map, unmap};
}

/* Where in the file n bytes of RAM are. */
static bool find(const struct elfsink *s, uint64_t address, size_t n, uint64_t *at)
{
	for (size_t i = 0; i < s->memory.count; i++) {
		const struct range *r = &s->memory.r[i];

		if (address < r->start || address >= r->end || n > r->end - address)
			continue;
		*at = s->offset[i] + (address - r->start);
		return true;
	}
	return false;
}

static err_t read_placed(void *self, uint64_t address, void *buf, size_t n)
{
	struct elfsink *s = self;
	uint64_t at;

	if (!find(s, address, n, &at))
		return err_new(ERR_FORMAT, "physical address %#llx is not in the image's RAM",
			       (unsigned long long)address);
	return io_pread(s->file.fd, buf, n, at, s->file.partial);
}

struct physical elfsink_physical(struct elfsink *s)
{
	return (struct physical){s, read_placed};
}

err_t elfsink_put(struct elfsink *s, uint64_t address, const uint8_t *page)
{
	uint64_t at;

	if (address % PAGE_BYTES || !find(s, address, PAGE_BYTES, &at))
		return err_new(ERR_INVALID, "%#llx is no page of the dump",
			       (unsigned long long)address);
	return io_pwrite(s->file.fd, page, PAGE_BYTES, at, s->file.partial);
}

err_t elfsink_put_notes(struct elfsink *s, const uint8_t *notes)
{
	return io_pwrite(s->file.fd, notes, s->notes_bytes, phdrs_end(s), s->file.partial);
}

err_t elfsink_finish(struct elfsink *s)
{
	return newfile_commit(&s->file);
}

void elfsink_destroy(struct elfsink *s)
{
	if (!s)
		return;
	newfile_discard(&s->file);
	free(s->buffers);
	free(s);
}
