/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finding the list. In 6.12 its head is at CP_PA_BACKUP_PAGES_MAP on the control
 * page (arch/x86/kernel/relocate_kernel_64.S), elsewhere in other versions. So
 * every word of the control page is tried, and the list it leads to must name
 * each page of the windows exactly once, in ascending order, each with a source
 * that is RAM outside of the windows. Nothing else on the page can do that by
 * accident.
 *
 * The list (include/linux/kexec.h): words of a physical address and flags in
 * its low bits. DESTINATION: what follows goes there, page by page; SOURCE: a
 * page, the destination moves on; INDIRECTION: the list goes on there; DONE.
 */
#include "memory/hostmem.h"

#include "base/util.h"

#include <string.h>

#define VIEW_BYTES (2 * MIB)

#define IND_DESTINATION 0x1
#define IND_INDIRECTION 0x2
#define IND_DONE	0x4
#define IND_SOURCE	0x8
#define IND_FLAGS	0xf

err_t hostmem_init(struct hostmem *m, const struct range_list *windows, bool writable)
{
	uint64_t pages = range_bytes(windows, RANGE_RAM) >> PAGE_BITS;

	*m = (struct hostmem){ .windows = *windows, .cached = UINT64_MAX };
	m->source_pfn = calloc(pages ? pages : 1, sizeof(m->source_pfn[0]));
	if (!m->source_pfn)
		return err_new(ERR_NOMEM, "reading the host's memory");
	return devmem_open(&m->dev, writable);
}

void hostmem_deinit(struct hostmem *m)
{
	if (m->view)
		devmem_unmap(m->view, VIEW_BYTES);
	free(m->source_pfn);
	devmem_close(&m->dev);
}

/* The page's bytes where they really are, valid until the next call. */
static err_t view(struct hostmem *m, uint64_t physical, uint8_t **out)
{
	uint64_t start = align_down(physical, VIEW_BYTES);

	if (m->cached != start) {
		if (m->view)
			devmem_unmap(m->view, VIEW_BYTES);
		m->view = NULL;
		m->cached = UINT64_MAX;
		TRY(devmem_map(&m->dev, start, VIEW_BYTES, &m->view));
		m->cached = start;
	}
	*out = m->view + (physical - start);
	return NULL;
}

/* Number of a page among those of the windows, or -1. */
static int64_t window_page(const struct hostmem *m, uint64_t physical)
{
	int64_t before = 0;

	for (size_t i = 0; i < m->windows.count; i++) {
		const struct range *w = &m->windows.r[i];

		if (physical >= w->start && physical < w->end)
			return before + (int64_t)((physical - w->start) >> PAGE_BITS);
		before += (int64_t)((w->end - w->start) >> PAGE_BITS);
	}
	return -1;
}

static err_t where(const struct hostmem *m, uint64_t physical, uint64_t *out)
{
	int64_t page = window_page(m, physical);

	if (page < 0) {
		*out = physical;
		return NULL;
	}
	if (!m->backup)
		return err_new(ERR_FORMAT, "physical address 0x%llx is inside the window, and where "
					   "its content went is not known",
			       (unsigned long long)physical);
	*out = ((uint64_t)m->source_pfn[page] << PAGE_BITS) | (physical & (PAGE_BYTES - 1));
	return NULL;
}

static err_t copy(struct hostmem *m, uint64_t physical, uint8_t *buf, size_t n, bool write)
{
	while (n) {
		size_t part = min_u64(n, PAGE_BYTES - (physical & (PAGE_BYTES - 1)));
		uint64_t real = 0;
		uint8_t *p;

		TRY(where(m, physical, &real));
		TRY(view(m, real, &p));
		if (write)
			memcpy(p, buf, part);
		else
			memcpy(buf, p, part);
		physical += part;
		buf += part;
		n -= part;
	}
	return NULL;
}

err_t hostmem_read(struct hostmem *m, uint64_t physical, void *buf, size_t n)
{
	return copy(m, physical, buf, n, false);
}

err_t hostmem_write(struct hostmem *m, uint64_t physical, const void *buf, size_t n)
{
	return copy(m, physical, (uint8_t *)(uintptr_t)buf, n, true);
}

/* State of a walk through a list that may be anything. */
struct walk {
	uint64_t destination;
	uint64_t pages;	   /* named so far: must come in the order of the windows */
	uint64_t budget;   /* list words that a right list can have */
};

static bool is_outside_ram(const struct hostmem *m, const struct range_list *memory, uint64_t page)
{
	const struct range *r = range_holding(memory, page, page + PAGE_BYTES);

	return r && r->type == RANGE_RAM && window_page(m, page) < 0;
}

/* One word of the list; false: this is no list of ours. */
static bool step(struct hostmem *m, const struct range_list *memory, struct walk *w, uint64_t word)
{
	uint64_t page = word & ~(uint64_t)(PAGE_BYTES - 1);

	if (word & IND_DESTINATION) {
		w->destination = page;
		return true;
	}
	if (!(word & IND_SOURCE))
		return false;
	/* A page that lies at its destination already was never moved: the kernel
	 * lists it as its own source, and swaps it with itself. */
	if (page != w->destination && !is_outside_ram(m, memory, page))
		return false;
	if (window_page(m, w->destination) != (int64_t)w->pages)
		return false;
	m->source_pfn[w->pages++] = (uint32_t)(page >> PAGE_BITS);
	w->destination += PAGE_BYTES;
	return true;
}

/* Follow a list from its head; true when it is whole and right. */
static bool follow(struct hostmem *m, const struct range_list *memory, uint64_t head)
{
	uint64_t total = range_bytes(&m->windows, RANGE_RAM) >> PAGE_BITS;
	struct walk w = { .budget = total + total / 256 + 1024 };
	uint64_t word = head;
	uint64_t words[PAGE_BYTES / 8];
	size_t i = ARRAY_LEN(words);

	for (; w.budget; w.budget--) {
		if (word & IND_DONE)
			return w.pages == total;
		if (word & IND_INDIRECTION) {
			uint64_t page = word & ~(uint64_t)(PAGE_BYTES - 1);
			uint8_t *p;
			err_t e;

			if (!is_outside_ram(m, memory, page))
				return false;
			e = view(m, page, &p);
			if (e) {
				err_free(e);
				return false;
			}
			memcpy(words, p, sizeof(words));
			i = 0;
		} else if (!step(m, memory, &w, word)) {
			return false;
		}
		if (i == ARRAY_LEN(words))
			return false;
		word = words[i++];
	}
	return false;
}

err_t hostmem_find_backup(struct hostmem *m, uint64_t entry, const struct range_list *memory)
{
	uint64_t control = align_down(entry, PAGE_BYTES);
	uint64_t words[PAGE_BYTES / 8];
	uint8_t *p;

	if (!is_outside_ram(m, memory, control))
		return err_new(ERR_FORMAT, "the jump-back entry 0x%llx is not in the host's RAM",
			       (unsigned long long)entry);
	TRY(view(m, control, &p));
	memcpy(words, p, sizeof(words));
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if ((words[i] & IND_FLAGS) != IND_INDIRECTION)
			continue;
		if (follow(m, memory, words[i])) {
			m->backup = true;
			return NULL;
		}
	}
	return err_new(ERR_FORMAT, "the list of exchanged pages was not found on the control page 0x%llx",
		       (unsigned long long)control);
}

static err_t read_physical(void *self, uint64_t address, void *buf, size_t n)
{
	return hostmem_read(self, address, buf, n);
}

struct physical hostmem_physical(struct hostmem *m)
{
	return (struct physical){ m, read_physical };
}
