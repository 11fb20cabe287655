/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The PT_LOAD segments of a dump as they are found, and what follows from all of
 * them: which memory there is, and which of it lies where in the file.
 *
 * Several may be of the same memory: /proc/vmcore has the kernel's text a second
 * time, by the address it runs at (arch/x86/kernel/crash.c,
 * crash_prepare_elf64_headers), QEMU with "paging" has segments by virtual address that share the
 * bytes of the file. What must not be is that the file has two contents of the
 * same memory.
 */
#ifndef ELF_LOADS_H
#define ELF_LOADS_H

#include "base/err.h"
#include "base/range.h"
#include "elf/disk.h"
#include "elf/dump.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load {
	uint64_t start, end; /* physical addresses */
	uint64_t file_end;   /* the same of what is in the file; start: nothing */
	uint64_t offset;     /* in the file */
	bool text;	     /* mapped where the kernel's text is */
};

struct loads {
	size_t count, room;
	struct load *l;
};

/* One more. ERR_CORRUPT: not in a file of that many bytes, or above 2^52. */
err_t loads_add(struct loads *ls, const struct elf_phdr_disk *p, uint64_t file_bytes) ERR_CHECK;

/* Whole pages, sorted, neighbours joined. Sorts ls. ERR_UNSUPPORTED: too many, or none. */
err_t loads_memory(struct loads *ls, struct range_list *out) ERR_CHECK;

/* Where the file has content, sorted, apart; the caller frees it. Sorts ls.
 * ERR_CORRUPT: two contents of the same memory. */
err_t loads_segments(struct loads *ls, struct elfdump_segment **out, uint32_t *count) ERR_CHECK;

void loads_deinit(struct loads *ls);

#endif
