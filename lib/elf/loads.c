/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "elf/loads.h"

#include "base/util.h"

#include <stdlib.h>

#define ADDRESS_END (1ull << 52)	  /* Intel SDM 3A, 4.1.4: MAXPHYADDR is at most 52 */
#define KERNEL_MAP  0xffffffff80000000ull /* __START_KERNEL_map */

static err_t make_room(struct loads *ls)
{
	size_t room = ls->room ? ls->room * 2 : 64;
	struct load *more;

	if (ls->count < ls->room)
		return NULL;
	more = realloc(ls->l, room * sizeof(*more));
	if (!more)
		return err_new(ERR_NOMEM, "%zu segments", room);
	ls->l = more;
	ls->room = room;
	return NULL;
}

err_t loads_add(struct loads *ls, const struct elf_phdr_disk *p, uint64_t file_bytes)
{
	uint64_t start = le64_get(p->paddr), memsz = le64_get(p->memsz);
	uint64_t offset = le64_get(p->offset), filesz = le64_get(p->filesz);

	if (filesz > memsz)
		return err_new(ERR_CORRUPT, "the segment of 0x%llx has more bytes than memory",
			       (unsigned long long)start);
	if (!memsz)
		return NULL;
	if (start > ADDRESS_END || memsz > ADDRESS_END - start)
		return err_new(ERR_CORRUPT, "the segment of 0x%llx lies above 2^52",
			       (unsigned long long)start);
	if (filesz && (offset > file_bytes || filesz > file_bytes - offset))
		return err_new(ERR_CORRUPT,
			       "the segment of 0x%llx ends at byte %llu and the file before: was "
			       "it cut off?",
			       (unsigned long long)start, (unsigned long long)(offset + filesz));
	TRY(make_room(ls));
	ls->l[ls->count++] = (struct load){start, start + memsz, start + filesz, offset,
					   le64_get(p->vaddr) >= KERNEL_MAP};
	return NULL;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* By start; of two that start together, the one that holds the other first, and
 * the kernel's text, which can be left out, last. */
static int by_start(const void *a, const void *b)
{
	const struct load *x = a, *y = b;
	int c = compare(x->start, y->start);

	if (!c)
		c = compare(y->file_end, x->file_end);
	return c ? c : x->text - y->text;
}

static void sort(struct loads *ls)
{
	if (ls->count)
		qsort(ls->l, ls->count, sizeof(ls->l[0]), by_start);
}

/*
 * A page of which only a part is RAM is left out: Linux does not use it either
 * (mm/memblock.c, memblock_trim_memory). Joined first, since firmware maps have
 * entries that meet inside of a page.
 */
static bool add_pages(struct range_list *out, uint64_t start, uint64_t end)
{
	return range_add(out, align_up(start, PAGE_BYTES), align_down(end, PAGE_BYTES), RANGE_RAM);
}

err_t loads_memory(struct loads *ls, struct range_list *out)
{
	uint64_t start = 0, end = 0;
	bool fits = true;

	sort(ls);
	out->count = 0;
	for (size_t i = 0; i < ls->count; i++) {
		const struct load *l = &ls->l[i];

		if (l->start > end) {
			fits = fits && add_pages(out, start, end);
			start = l->start;
		}
		end = max_u64(end, l->end);
	}
	if (!fits || !add_pages(out, start, end))
		return err_new(ERR_UNSUPPORTED, "its memory is in more than %d pieces", RANGE_MAX);
	if (!out->count)
		return err_new(ERR_UNSUPPORTED, "it has no memory");
	return NULL;
}

/* Content that begins inside of the last segment, or right behind it. */
static bool joins(const struct elfdump_segment *last, const struct load *l)
{
	return l->start <= last->end && l->offset - l->start == last->offset - last->start;
}

err_t loads_segments(struct loads *ls, struct elfdump_segment **out, uint32_t *count)
{
	struct elfdump_segment *s = calloc(ls->count + 1, sizeof(*s)), *last = NULL;

	if (!s)
		return err_new(ERR_NOMEM, "%zu segments", ls->count);
	sort(ls);
	for (size_t i = 0; i < ls->count; i++) {
		const struct load *l = &ls->l[i];

		if (l->file_end == l->start)
			continue;
		if (last && joins(last, l)) {
			last->end = max_u64(last->end, l->file_end);
		} else if (!last || l->start >= last->end) {
			last = last ? last + 1 : s;
			*last = (struct elfdump_segment){l->start, l->file_end, l->offset};
		} else if (!l->text || l->file_end > last->end) {
			free(s);
			return err_new(
				ERR_CORRUPT,
				"segments overlap at 0x%llx; is it the core dump of a program?",
				(unsigned long long)l->start);
		}
	}
	*out = s;
	*count = last ? (uint32_t)(last - s + 1) : 0;
	return NULL;
}

void loads_deinit(struct loads *ls)
{
	free(ls->l);
}
