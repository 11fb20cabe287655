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
#include "memory/exchanged.h"

#include "base/util.h"

#include <stdlib.h>
#include <string.h>

#define IND_DESTINATION 0x1
#define IND_INDIRECTION 0x2
#define IND_DONE	0x4
#define IND_SOURCE	0x8
#define IND_FLAGS	0xf

#define WORDS (PAGE_BYTES / sizeof(uint64_t))

err_t exchanged_init(struct exchanged *x, const struct range_list *windows)
{
	uint64_t pages = range_bytes(windows, RANGE_RAM) >> PAGE_BITS;

	*x = (struct exchanged){.windows = *windows};
	x->source_pfn = calloc(pages ? pages : 1, sizeof(x->source_pfn[0]));
	return x->source_pfn ? NULL : err_new(ERR_NOMEM, "list of exchanged pages");
}

void exchanged_deinit(struct exchanged *x)
{
	free(x->source_pfn);
	x->source_pfn = NULL;
}

/* Number of a page among those of the windows, or -1. */
static int64_t window_page(const struct exchanged *x, uint64_t physical)
{
	int64_t before = 0;

	for (size_t i = 0; i < x->windows.count; i++) {
		const struct range *w = &x->windows.r[i];

		if (physical >= w->start && physical < w->end)
			return before + (int64_t)((physical - w->start) >> PAGE_BITS);
		before += (int64_t)((w->end - w->start) >> PAGE_BITS);
	}
	return -1;
}

err_t exchanged_where(const struct exchanged *x, uint64_t physical, uint64_t *out)
{
	int64_t page = window_page(x, physical);

	if (page < 0) {
		*out = physical;
		return NULL;
	}
	if (!x->known)
		return err_new(ERR_FORMAT,
			       "physical address 0x%llx is inside the window, and where "
			       "its content went is not known",
			       (unsigned long long)physical);
	*out = ((uint64_t)x->source_pfn[page] << PAGE_BITS) | (physical & (PAGE_BYTES - 1));
	return NULL;
}

/* State of a walk through a list that may be anything. */
struct walk {
	uint64_t destination;
	uint64_t pages;	 /* named so far: must come in the order of the windows */
	uint64_t budget; /* list words that a right list can have */
};

static bool is_outside_ram(const struct exchanged *x, const struct range_list *memory,
			   uint64_t page)
{
	const struct range *r = range_holding(memory, page, page + PAGE_BYTES);

	return r && r->type == RANGE_RAM && window_page(x, page) < 0;
}

/* One word of the list; false: this is no list of ours. */
static bool step(struct exchanged *x, const struct range_list *memory, struct walk *w,
		 uint64_t word)
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
	if (page != w->destination && !is_outside_ram(x, memory, page))
		return false;
	if (window_page(x, w->destination) != (int64_t)w->pages)
		return false;
	x->source_pfn[w->pages++] = (uint32_t)(page >> PAGE_BITS);
	w->destination += PAGE_BYTES;
	return true;
}

/* Follow a list from its head; true when it is whole and right. */
static bool follow(struct exchanged *x, const struct physical *raw, const struct range_list *memory,
		   uint64_t head)
{
	uint64_t total = range_bytes(&x->windows, RANGE_RAM) >> PAGE_BITS;
	struct walk w = {.budget = total + total / 256 + 1024};
	uint64_t word = head;
	uint64_t words[WORDS];
	size_t i = WORDS;

	for (; w.budget; w.budget--) {
		if (word & IND_DONE)
			return w.pages == total;
		if (word & IND_INDIRECTION) {
			uint64_t page = word & ~(uint64_t)(PAGE_BYTES - 1);
			err_t e;

			if (!is_outside_ram(x, memory, page))
				return false;
			e = physical_read(raw, page, words, sizeof(words));
			if (e) {
				err_free(e);
				return false;
			}
			i = 0;
		} else if (!step(x, memory, &w, word)) {
			return false;
		}
		if (i == WORDS)
			return false;
		word = words[i++];
	}
	return false;
}

err_t exchanged_find(struct exchanged *x, const struct physical *raw, uint64_t entry,
		     const struct range_list *memory)
{
	uint64_t control = align_down(entry, PAGE_BYTES);
	uint64_t words[WORDS];

	if (!is_outside_ram(x, memory, control))
		return err_new(ERR_FORMAT, "the jump-back entry 0x%llx is not in the host's RAM",
			       (unsigned long long)entry);
	TRY(physical_read(raw, control, words, sizeof(words)));
	for (size_t i = 0; i < WORDS; i++) {
		if ((words[i] & IND_FLAGS) != IND_INDIRECTION)
			continue;
		if (follow(x, raw, memory, words[i])) {
			x->known = true;
			return NULL;
		}
	}
	return err_new(ERR_FORMAT,
		       "the list of exchanged pages was not found on the control page 0x%llx",
		       (unsigned long long)control);
}
