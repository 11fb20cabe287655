/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Physical memory with what a kernel has in it to be understood: page tables,
 * sections, struct pages, and the vmcoreinfo that tells where they are.
 */
#ifndef FAKEKERNEL_H
#define FAKEKERNEL_H

#include "base/util.h"
#include "memory/physical.h"
#include "memory/vmcoreinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_BYTES     (16 * MIB)
#define FAKE_TOP       0x5000u	 /* the top page table */
#define FAKE_PHYS_BASE (-0x3000) /* where the kernel lies, less where it was linked to */
#define FAKE_NX	       (1ull << 63)

struct fakekernel {
	uint8_t *mem;
	uint64_t next; /* pages from here on are not used yet */
	unsigned int levels;
	uint64_t fail_at; /* reading here fails */
	struct physical physical;
	struct vmcoreinfo info;
};

static inline err_t fakekernel_read(void *self, uint64_t address, void *buf, size_t n)
{
	struct fakekernel *k = self;

	if (address >= FAKE_BYTES || n > FAKE_BYTES - address)
		return err_new(ERR_FORMAT, "no memory at %#llx", (unsigned long long)address);
	if (k->fail_at - address < n)
		return err_new(ERR_IO, "reading %#llx failed", (unsigned long long)address);
	memcpy(buf, k->mem + address, n);
	return NULL;
}

static inline uint64_t fakekernel_page(struct fakekernel *k)
{
	k->next += PAGE_BYTES;
	if (k->next > FAKE_BYTES)
		abort();
	return k->next - PAGE_BYTES;
}

static inline uint64_t *fakekernel_words(struct fakekernel *k, uint64_t physical)
{
	return (uint64_t *)(k->mem + physical);
}

/* Map one page of level 1 (4 KiB), 2 (2 MiB) or 3 (1 GiB); makes the tables above it.
 * With bits set that are no part of the address. */
static inline void fakekernel_map(struct fakekernel *k, uint64_t virtual, uint64_t physical,
				  unsigned int level)
{
	uint64_t table = FAKE_TOP, *entry;

	for (unsigned int l = k->levels;; l--) {
		entry = &fakekernel_words(k, table)[virtual >> (12 + 9 * (l - 1)) & 511];
		if (l == level)
			break;
		if (!*entry)
			*entry = fakekernel_page(k) | 0x67;
		table = *entry & ~0xfffull;
	}
	*entry = FAKE_NX | physical | 0x163 | (level > 1 ? 0x80 : 0);
}

/* Append a line to the vmcoreinfo. */
static inline void fakekernel_say(struct fakekernel *k, const char *name, long long value)
{
	size_t n = strlen(k->info.text);
	bool hex = !strncmp(name, "SYMBOL", 6);

	snprintf(k->info.text + n, sizeof(k->info.text) - n, hex ? "%s=%llx\n" : "%s=%lld\n", name,
		 value);
}

/* Take a line out of it. */
static inline void fakekernel_unsay(struct fakekernel *k, const char *name)
{
	char *p = strstr(k->info.text, name), *end = p ? strchr(p, '\n') : NULL;

	if (!end)
		abort();
	memmove(p, end + 1, strlen(end + 1) + 1);
}

static inline void fakekernel_init(struct fakekernel *k, unsigned int levels)
{
	*k = (struct fakekernel){.levels = levels, .next = 0x10000, .fail_at = UINT64_MAX};
	k->mem = calloc(1, FAKE_BYTES);
	if (!k->mem)
		abort();
	k->physical = (struct physical){k, fakekernel_read};
	fakekernel_say(k, "SYMBOL(init_top_pgt)",
		       (long long)(0xffffffff80000000ull + FAKE_TOP - (uint64_t)FAKE_PHYS_BASE));
	fakekernel_say(k, "NUMBER(phys_base)", FAKE_PHYS_BASE);
	fakekernel_say(k, "NUMBER(pgtable_l5_enabled)", levels == 5);
}

static inline void fakekernel_deinit(struct fakekernel *k)
{
	free(k->mem);
}

#endif
