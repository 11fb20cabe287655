/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "elf/dump.h"

#include "base/io.h"
#include "base/util.h"
#include "elf/disk.h"
#include "elf/loads.h"
#include "elf/notes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Program headers read at once. */
#define BATCH 64
/* No machine has as many; a table of 2^32 of them in a file of holes would take hours. */
#define PHDRS_MAX (1u << 20)

static bool is_within(uint64_t offset, uint64_t n, uint64_t bytes)
{
	return offset <= bytes && n <= bytes - offset;
}

/* Is it an ELF file, and of the kind that we read? */
static err_t check_header(const struct elf_header_disk *h)
{
	if (h->ident[EI_CLASS] != ELFCLASS64 || h->ident[EI_DATA] != ELFDATA2LSB)
		return err_new(ERR_UNSUPPORTED, "it is not of 64 bits, little endian");
	if (h->ident[EI_VERSION] != EV_CURRENT || le32_get(h->version) != EV_CURRENT)
		return err_new(ERR_UNSUPPORTED, "it has ELF version %u", le32_get(h->version));
	if (le16_get(h->type) != ET_CORE)
		return err_new(ERR_UNSUPPORTED, "it is no memory dump: ELF type %u",
			       le16_get(h->type));
	if (le16_get(h->machine) != EM_X86_64)
		return err_new(ERR_UNSUPPORTED, "it is not of x86_64: ELF machine %u",
			       le16_get(h->machine));
	/* e_ehsize is not looked at: QEMU 7.2 writes the size of a pointer there
	 * (dump/dump.c, write_elf64_header). */
	if (le16_get(h->phentsize) != sizeof(struct elf_phdr_disk))
		return err_new(ERR_CORRUPT, "its headers have impossible sizes");
	return NULL;
}

static err_t read_header(const struct elfdump *d, uint64_t bytes, struct elf_header_disk *h)
{
	*h = (struct elf_header_disk){0};
	TRY(io_pread(d->fd, h, min_u64(bytes, sizeof(*h)), 0, d->name));
	if (memcmp(h->ident, ELFMAG, SELFMAG))
		return err_new(ERR_FORMAT, "it is no ELF file");
	if (bytes < sizeof(*h))
		return err_new(ERR_CORRUPT, "it ends inside of the ELF header");
	return check_header(h);
}

/* With PN_XNUM the number is in the first section header (elf(5), e_phnum). */
static err_t count_phdrs(const struct elfdump *d, uint64_t bytes, const struct elf_header_disk *h,
			 uint32_t *count)
{
	uint64_t at = le64_get(h->shoff);
	struct elf_shdr_disk s;

	*count = le16_get(h->phnum);
	if (*count == PN_XNUM) {
		if (le16_get(h->shentsize) != sizeof(s) || !is_within(at, sizeof(s), bytes) || !at)
			return err_new(ERR_CORRUPT, "it has no section header");
		TRY(io_pread(d->fd, &s, sizeof(s), at, d->name));
		*count = le32_get(s.info);
	}
	if (!is_within(le64_get(h->phoff), *count * (uint64_t)sizeof(struct elf_phdr_disk), bytes))
		return err_new(ERR_CORRUPT, "it ends before its program headers");
	if (*count > PHDRS_MAX)
		return err_new(ERR_UNSUPPORTED, "it has %u program headers", *count);
	return NULL;
}

/* Append what a PT_NOTE segment holds, padded so that the next one can follow. */
static err_t add_notes(struct elfdump *d, const struct elf_phdr_disk *p, uint64_t bytes)
{
	uint64_t at = le64_get(p->offset), n = le64_get(p->filesz), padded;
	uint8_t *more;

	if (!n)
		return NULL;
	if (!is_within(at, n, bytes))
		return err_new(ERR_CORRUPT, "its notes lie outside of it");
	padded = n <= ELFDUMP_NOTES_MAX ? align_up(n, 4) : n;
	if (padded > ELFDUMP_NOTES_MAX - d->notes_bytes)
		return err_new(ERR_UNSUPPORTED, "it has more than %u bytes of notes",
			       ELFDUMP_NOTES_MAX);
	more = realloc(d->notes, d->notes_bytes + padded);
	if (!more)
		return err_new(ERR_NOMEM, "notes");
	d->notes = more;
	TRY(io_pread(d->fd, more + d->notes_bytes, n, at, d->name));
	memset(more + d->notes_bytes + n, 0, padded - n);
	d->notes_bytes += (uint32_t)padded;
	return NULL;
}

static err_t read_phdrs(struct elfdump *d, uint64_t bytes, const struct elf_header_disk *h,
			struct loads *loads)
{
	struct elf_phdr_disk p[BATCH];
	uint64_t at = le64_get(h->phoff);
	uint32_t count;

	TRY(count_phdrs(d, bytes, h, &count));
	for (uint32_t n; count; count -= n, at += n * sizeof(p[0])) {
		n = (uint32_t)min_u64(count, BATCH);
		TRY(io_pread(d->fd, p, n * sizeof(p[0]), at, d->name));
		for (uint32_t i = 0; i < n; i++) {
			if (le32_get(p[i].type) == PT_LOAD)
				TRY(loads_add(loads, &p[i], bytes));
			if (le32_get(p[i].type) == PT_NOTE)
				TRY(add_notes(d, &p[i], bytes));
		}
	}
	return NULL;
}

static err_t read_tables(struct elfdump *d, uint64_t bytes)
{
	struct elf_header_disk h;
	struct loads loads = {0};
	err_t e;

	TRY(read_header(d, bytes, &h));
	e = read_phdrs(d, bytes, &h, &loads);
	if (!e)
		e = loads_segments(&loads, &d->segments, &d->segment_count);
	if (!e)
		e = loads_memory(&loads, &d->memory);
	if (!e)
		e = notes_check(d->notes, d->notes_bytes, &d->cpus);
	loads_deinit(&loads);
	return e;
}

/* A file or disk whose size is known; opening must not wait for a pipe's writer. */
static err_t open_file(struct elfdump *d, const char *path, uint64_t *bytes)
{
	struct stat st;
	off_t end;

	d->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (d->fd < 0 || fstat(d->fd, &st))
		return err_errno("opening it");
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_new(ERR_INVALID, "it is no file");
	end = lseek(d->fd, 0, SEEK_END);
	if (end < 0)
		return err_errno("looking for its end");
	*bytes = (uint64_t)end;
	posix_fadvise(d->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return NULL;
}

err_t elfdump_open(struct elfdump *d, const char *path)
{
	size_t n = strlen(path);
	uint64_t bytes = 0;
	err_t e;

	*d = (struct elfdump){.fd = -1};
	/* The end of a long path says more than its beginning. */
	snprintf(d->name, sizeof(d->name), "%s",
		 path + (n < sizeof(d->name) ? 0 : n - sizeof(d->name) + 1));
	e = open_file(d, path, &bytes);
	if (!e)
		e = read_tables(d, bytes);
	if (e)
		elfdump_close(d);
	return err_context(e, "%s", d->name);
}

void elfdump_close(struct elfdump *d)
{
	if (d->fd >= 0)
		close(d->fd);
	free(d->segments);
	free(d->notes);
	d->fd = -1;
	d->segments = NULL;
	d->notes = NULL;
	d->segment_count = d->notes_bytes = 0;
}

err_t elfdump_vmcoreinfo(const struct elfdump *d, struct vmcoreinfo *out)
{
	return err_context(elfdump_find_vmcoreinfo(d->notes, d->notes_bytes, out), "%s", d->name);
}
