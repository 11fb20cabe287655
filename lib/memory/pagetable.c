/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Intel SDM 3A, 4.5: 9 bits of the address for each level, from bit 12 up. */
#include "memory/pagetable.h"

#include "base/util.h"

#define KERNEL_MAP 0xffffffff80000000ull /* __START_KERNEL_map */
#define PRESENT	   0x1
#define HUGE	   0x80
#define ADDRESS	   0x000ffffffffff000ull

err_t pagetable_init(struct pagetable *t, const struct physical *mem, const struct vmcoreinfo *v)
{
	int64_t top, phys_base, l5 = 0;

	if (!vmcoreinfo_get(v, "SYMBOL(init_top_pgt)", &top) ||
	    !vmcoreinfo_get(v, "NUMBER(phys_base)", &phys_base) ||
	    !vmcoreinfo_get(v, "NUMBER(pgtable_l5_enabled)", &l5))
		return err_new(ERR_FORMAT,
			       "the host's vmcoreinfo does not tell where its page tables are");
	*t = (struct pagetable){.mem = *mem};
	t->top = (uint64_t)top - KERNEL_MAP + (uint64_t)phys_base;
	t->levels = l5 ? 5 : 4;
	return NULL;
}

/* Down the tables, to the page that holds the address. */
static err_t walk(struct pagetable *t, uint64_t virtual)
{
	uint64_t table = t->top, entry = 0, page;

	for (unsigned int level = t->levels; level; level--) {
		unsigned int shift = PAGE_BITS + 9 * (level - 1);
		uint64_t slot = virtual >> shift & 511;

		TRY(physical_read(&t->mem, table + slot * sizeof(entry), &entry, sizeof(entry)));
		if (!(entry & PRESENT))
			return err_new(ERR_CORRUPT,
				       "the host does not map the virtual address 0x%llx",
				       (unsigned long long)virtual);
		if (level == 1 || (level <= 3 && entry & HUGE)) {
			page = 1ull << shift;
			t->last_virtual = align_down(virtual, page);
			t->last_physical = entry & ADDRESS & ~(page - 1);
			t->last_bytes = page;
			return NULL;
		}
		table = entry & ADDRESS;
	}
	return err_new(ERR_CORRUPT, "the host's page tables have no end");
}

err_t pagetable_walk(struct pagetable *t, uint64_t virtual, uint64_t *physical,
		     uint64_t *contiguous)
{
	if (virtual - t->last_virtual >= t->last_bytes)
		TRY(walk(t, virtual));
	*physical = t->last_physical + (virtual - t->last_virtual);
	*contiguous = t->last_bytes - (virtual - t->last_virtual);
	return NULL;
}

err_t pagetable_read(struct pagetable *t, uint64_t virtual, void *buf, size_t n)
{
	uint8_t *p = buf;

	while (n) {
		uint64_t physical = 0, part = 0;

		TRY(pagetable_walk(t, virtual, &physical, &part));
		part = min_u64(part, n);
		TRY(physical_read(&t->mem, physical, p, part));
		virtual += part;
		p += part;
		n -= part;
	}
	return NULL;
}
