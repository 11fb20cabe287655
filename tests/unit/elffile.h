/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ELF dumps put together byte by byte, apart from the code under test: right
 * ones, and wrong ones. Structures are those of <elf.h>; x86_64 is little endian. */
#ifndef ELFFILE_H
#define ELFFILE_H

#include "tempfile.h"

#include <elf.h>
#include <string.h>

#define ELFFILE_MAX (1u << 20)

struct elffile {
	uint8_t *b;
	size_t n;
	Elf64_Ehdr *h;
	Elf64_Phdr *p; /* room for h->e_phnum of them */
};

/* Header and so many program headers, all empty; content is appended. */
static inline struct elffile elffile_new(unsigned int phnum)
{
	struct elffile f = {.b = calloc(1, ELFFILE_MAX)};

	if (!f.b)
		abort();
	f.h = (Elf64_Ehdr *)f.b;
	f.p = (Elf64_Phdr *)(f.b + sizeof(*f.h));
	memcpy(f.h->e_ident, ELFMAG, SELFMAG);
	f.h->e_ident[EI_CLASS] = ELFCLASS64;
	f.h->e_ident[EI_DATA] = ELFDATA2LSB;
	f.h->e_ident[EI_VERSION] = EV_CURRENT;
	f.h->e_type = ET_CORE;
	f.h->e_machine = EM_X86_64;
	f.h->e_version = EV_CURRENT;
	f.h->e_phoff = sizeof(*f.h);
	f.h->e_ehsize = sizeof(*f.h);
	f.h->e_phentsize = sizeof(*f.p);
	f.h->e_phnum = (uint16_t)phnum;
	f.n = sizeof(*f.h) + phnum * sizeof(*f.p);
	return f;
}

static inline void elffile_free(struct elffile *f)
{
	free(f->b);
}

/* What byte the memory at a physical address has. */
static inline uint8_t elffile_byte(uint64_t address)
{
	return (uint8_t)((address >> 12) * 31 + address * 7 + 1);
}

/* Program header i: memory of memsz bytes, of which filesz are appended here. */
static inline void elffile_load(struct elffile *f, unsigned int i, uint64_t paddr, uint64_t memsz,
				uint64_t filesz)
{
	f->p[i] = (Elf64_Phdr){.p_type = PT_LOAD,
			       .p_offset = f->n,
			       .p_paddr = paddr,
			       .p_memsz = memsz,
			       .p_filesz = filesz};
	for (uint64_t k = 0; k < filesz; k++)
		f->b[f->n++] = elffile_byte(paddr + k);
}

/* Append a note; the caller sets the segment up (elffile_notes). */
static inline void elffile_note(struct elffile *f, const char *name, uint32_t type,
				const void *content, uint32_t bytes)
{
	Elf64_Nhdr h = {(uint32_t)strlen(name) + 1, bytes, type};

	memcpy(f->b + f->n, &h, sizeof(h));
	f->n += sizeof(h);
	memcpy(f->b + f->n, name, h.n_namesz);
	f->n += (h.n_namesz + 3u) & ~3u;
	memcpy(f->b + f->n, content, bytes);
	f->n += (bytes + 3u) & ~3u;
}

/* Program header i: the notes appended since the file had so many bytes. */
static inline void elffile_notes(struct elffile *f, unsigned int i, size_t from)
{
	f->p[i] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = from, .p_filesz = f->n - from};
}

/* The first n bytes of it, as a file. */
static inline void elffile_write(const struct elffile *f, struct tempfile *t, size_t n)
{
	tempfile_open(t, 0);
	if (pwrite(t->fd, f->b, n, 0) != (ssize_t)n)
		abort();
}

#endif
