/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of an ELF64 file as they lie in it, little endian; names and values as
 * in <elf.h> (System V ABI, "Object Files").
 */
#ifndef ELF_DISK_H
#define ELF_DISK_H

#include "base/bytes.h"

#include <assert.h>
#include <elf.h>
#include <stddef.h>

struct elf_header_disk {
	uint8_t ident[EI_NIDENT];
	le16_t type;
	le16_t machine;
	le32_t version;
	le64_t entry;
	le64_t phoff;
	le64_t shoff;
	le32_t flags;
	le16_t ehsize;
	le16_t phentsize;
	le16_t phnum;
	le16_t shentsize;
	le16_t shnum;
	le16_t shstrndx;
};

struct elf_phdr_disk {
	le32_t type;
	le32_t flags;
	le64_t offset;
	le64_t vaddr;
	le64_t paddr;
	le64_t filesz;
	le64_t memsz;
	le64_t align;
};

/* Of a section header, only what PN_XNUM needs. */
struct elf_shdr_disk {
	uint8_t other[44];
	le32_t info;
	uint8_t rest[16];
};

/* The name follows, and the content; both padded to 4 bytes. */
struct elf_note_disk {
	le32_t namesz;
	le32_t descsz;
	le32_t type;
};

static_assert(sizeof(struct elf_header_disk) == sizeof(Elf64_Ehdr), "Elf64_Ehdr");
static_assert(offsetof(struct elf_header_disk, phnum) == offsetof(Elf64_Ehdr, e_phnum), "e_phnum");
static_assert(sizeof(struct elf_phdr_disk) == sizeof(Elf64_Phdr), "Elf64_Phdr");
static_assert(offsetof(struct elf_phdr_disk, align) == offsetof(Elf64_Phdr, p_align), "p_align");
static_assert(sizeof(struct elf_shdr_disk) == sizeof(Elf64_Shdr), "Elf64_Shdr");
static_assert(offsetof(struct elf_shdr_disk, info) == offsetof(Elf64_Shdr, sh_info), "sh_info");
static_assert(sizeof(struct elf_note_disk) == sizeof(Elf64_Nhdr), "Elf64_Nhdr");

#endif
