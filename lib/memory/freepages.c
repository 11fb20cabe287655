/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SPARSEMEM (include/linux/mmzone.h): mem_section is an array of pointers to
 * arrays of struct mem_section; section_mem_map of each is the virtual address
 * of its struct pages, less the section's first pfn times their size, with flags
 * in the low bits (masked by page alignment).
 *
 * A free block of the buddy allocator: the first page's _mapcount (page_type)
 * has PAGE_BUDDY_MAPCOUNT_VALUE, its private the order. Checked: order in range,
 * block aligned to it. Pages of hardware errors must not be touched, offline
 * ones have no content.
 */
#include "memory/freepages.h"

#include "base/util.h"
#include "memory/pagetable.h"

#include <stdlib.h>
#include <string.h>

/* Struct pages read at once: few, since a free block is skipped whole. */
#define BATCH_PAGES	64
#define PAGE_STRUCT_MAX 128
#define ORDER_MAX	18

struct layout {
	struct pagetable table;
	int64_t mem_section, section_size, section_roots, section_bits, section_map_at;
	int64_t page_size, flags_at, mapcount_at, private_at;
	int64_t buddy, offline, hwpoison;
};

static err_t layout_init(struct layout *l, const struct physical *mem, const struct vmcoreinfo *v)
{
	const struct {
		const char *name;
		int64_t *value;
	} needed[] = {
		{"SYMBOL(mem_section)", &l->mem_section},
		{"SIZE(mem_section)", &l->section_size},
		{"LENGTH(mem_section)", &l->section_roots},
		{"NUMBER(SECTION_SIZE_BITS)", &l->section_bits},
		{"OFFSET(mem_section.section_mem_map)", &l->section_map_at},
		{"SIZE(page)", &l->page_size},
		{"OFFSET(page.flags)", &l->flags_at},
		{"OFFSET(page._mapcount)", &l->mapcount_at},
		{"OFFSET(page.private)", &l->private_at},
		{"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", &l->buddy},
	};

	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!vmcoreinfo_get(v, needed[i].name, needed[i].value))
			return err_new(ERR_FORMAT, "the host's vmcoreinfo has no %s",
				       needed[i].name);
	/* These two exist only where the kernel can have such pages. */
	if (!vmcoreinfo_get(v, "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", &l->offline))
		l->offline = l->buddy;
	if (!vmcoreinfo_get(v, "NUMBER(PG_hwpoison)", &l->hwpoison))
		l->hwpoison = -1;
	if (l->page_size < 16 || l->page_size > PAGE_STRUCT_MAX || l->flags_at < 0 ||
	    l->flags_at > l->page_size - 8 || l->mapcount_at < 0 ||
	    l->mapcount_at > l->page_size - 4 || l->private_at < 0 ||
	    l->private_at > l->page_size - 8 || l->section_size < 8 ||
	    l->section_size > (int64_t)PAGE_BYTES || l->section_map_at < 0 ||
	    l->section_map_at > l->section_size - 8 || l->section_bits < 20 ||
	    l->section_bits > 40 || l->hwpoison > 63 || l->section_roots < 1)
		return err_new(ERR_FORMAT, "the host's vmcoreinfo has impossible numbers");
	return pagetable_init(&l->table, mem, v);
}

/* The virtual address of a pfn's struct page; 0 when its section is not there. */
static err_t struct_page_of(struct layout *l, uint64_t pfn, uint64_t *out)
{
	uint64_t section = pfn >> (l->section_bits - PAGE_BITS);
	uint64_t per_root = PAGE_BYTES / (uint64_t)l->section_size;
	uint64_t root = 0, map = 0;

	*out = 0;
	if (section / per_root >= (uint64_t)l->section_roots)
		return NULL;
	TRY(pagetable_read(&l->table, (uint64_t)l->mem_section + section / per_root * 8, &root, 8));
	if (!root)
		return NULL;
	TRY(pagetable_read(&l->table,
			   root + section % per_root * (uint64_t)l->section_size +
				   (uint64_t)l->section_map_at,
			   &map, 8));
	map &= ~(uint64_t)(PAGE_BYTES - 1);
	if (map)
		*out = map + pfn * (uint64_t)l->page_size;
	return NULL;
}

static void mark(struct freepages *f, uint64_t pfn, uint64_t n)
{
	for (uint64_t end = min_u64(pfn + n, f->pfns); pfn < end; pfn++, f->count++)
		f->bits[pfn / 8] |= (uint8_t)(1u << pfn % 8);
}

/* Look at one struct page; returns how many pages it speaks for. */
static uint64_t look(const struct layout *l, struct freepages *f, uint64_t pfn, const uint8_t *page)
{
	uint64_t flags, order;
	uint32_t mapcount;

	memcpy(&mapcount, page + l->mapcount_at, sizeof(mapcount));
	if (mapcount == (uint32_t)l->buddy) {
		memcpy(&order, page + l->private_at, sizeof(order));
		if (order > ORDER_MAX || pfn & ((1ull << order) - 1))
			return 1; /* not what it looks like: save it */
		mark(f, pfn, 1ull << order);
		return 1ull << order;
	}
	memcpy(&flags, page + l->flags_at, sizeof(flags));
	if (mapcount == (uint32_t)l->offline || (l->hwpoison >= 0 && flags >> l->hwpoison & 1))
		mark(f, pfn, 1);
	return 1;
}

/* The struct pages of [pfn, end), all in one section. */
static err_t scan_section(struct layout *l, struct freepages *f, uint8_t *buf, uint64_t pfn,
			  uint64_t end)
{
	uint64_t at;

	TRY(struct_page_of(l, pfn, &at));
	if (!at)
		return NULL;
	for (uint64_t batch = pfn; batch < end;) {
		uint64_t n = min_u64(end - batch, BATCH_PAGES), i = 0;

		TRY(pagetable_read(&l->table, at + (batch - pfn) * (uint64_t)l->page_size, buf,
				   n * (uint64_t)l->page_size));
		while (i < n)
			i += look(l, f, batch + i, buf + i * (uint64_t)l->page_size);
		batch += i;
	}
	return NULL;
}

static err_t scan(struct layout *l, struct freepages *f, const struct range_list *memory)
{
	uint8_t buf[BATCH_PAGES * PAGE_STRUCT_MAX];
	uint64_t section_pages = 1ull << (l->section_bits - PAGE_BITS);

	for (size_t i = 0; i < memory->count; i++) {
		uint64_t pfn = align_up(memory->r[i].start, PAGE_BYTES) >> PAGE_BITS;
		uint64_t end = memory->r[i].end >> PAGE_BITS;

		while (memory->r[i].type == RANGE_RAM && pfn < end) {
			uint64_t stop =
				min_u64(end, align_down(pfn, section_pages) + section_pages);

			TRY(scan_section(l, f, buf, pfn, stop));
			pfn = stop;
		}
	}
	return NULL;
}

err_t freepages_find(struct freepages *out, const struct physical *mem, const struct vmcoreinfo *v,
		     const struct range_list *memory)
{
	struct layout l;
	err_t e;

	*out = (struct freepages){0};
	TRY(layout_init(&l, mem, v));
	for (size_t i = 0; i < memory->count; i++)
		if (memory->r[i].type == RANGE_RAM)
			out->pfns = max_u64(out->pfns, memory->r[i].end >> PAGE_BITS);
	out->bits = calloc(1, out->pfns / 8 + 1);
	if (!out->bits)
		return err_new(ERR_NOMEM, "looking for free pages");
	e = scan(&l, out, memory);
	if (e) {
		free(out->bits);
		*out = (struct freepages){0};
	}
	return e;
}

void freepages_add_exchanged(struct freepages *f, const struct exchanged *x)
{
	uint64_t n = 0;

	for (size_t i = 0; x->known && i < x->windows.count; i++) {
		const struct range *w = &x->windows.r[i];

		for (uint64_t pfn = w->start >> PAGE_BITS; pfn < w->end >> PAGE_BITS; pfn++, n++)
			if (freepages_has(f, pfn) && !freepages_has(f, x->source_pfn[n]))
				mark(f, x->source_pfn[n], 1);
	}
}

void freepages_deinit(struct freepages *f)
{
	free(f->bits);
}
