/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Choosing the main window:
 *
 *   1. a crashkernel= reservation that is large enough: the allocator never
 *      hands out pages of it, so nothing has to be looked for;
 *   2. otherwise hold some memory (in huge pages, so in one place where
 *      possible), then ask the kernel of samples of each candidate whether its
 *      pages are free, and take the candidate with the fewest; while the best
 *      one is still mostly free, hold more.
 *
 * What is held outside of the chosen window is given back at once, the rest
 * after loading.
 */
#include "jump/window.h"

#include "base/io.h"
#include "base/util.h"
#include "jump/control.h"
#include "jump/iomem.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define LOW_END	    (640 * KIB)
#define BELOW	    (4 * GIB) /* devices with 32-bit DMA, and the entry stub's 32-bit part */
#define HOLD_STEP   (64 * MIB)
#define HOLD_MAX    (256 * MIB)
#define SPARE_BYTES (128 * MIB) /* left for loading, whatever is held */
#define FEW_PAGES   512

/* Samples: one run of SAMPLE_PAGES in each SAMPLE_STRIDE pages (2 MiB). */
#define SAMPLE_PAGES  32
#define SAMPLE_STRIDE 512

/* include/uapi/linux/kernel-page-flags.h */
#define KPF_BUDDY  (1ull << 10)
#define KPF_NOPAGE (1ull << 20)

/*
 * Kernel, initramfs, the pipeline's buffers and some MiB to spare; what the
 * kernel keeps for each CPU; a thread's buffers for a block's pages and for what
 * they are compressed to, and its stack. Seen with 16 CPUs and threads: 61 MiB
 * used, with 2: 38.
 */
#define BASE_BYTES    (41 * MIB)
#define CPU_BYTES     (560 * KIB)
#define CPUS_MAX      16 /* as many as the writer uses */
#define THREAD_BYTES  (1088 * KIB)
#define THREADS_LEAST 4
#define PER_GIB_BYTES (64 * KIB)
#define PIECE_BYTES   64u /* of an extent map that is read: list, sorted copy, blocks */
#define BUDGET_BYTES  (64 * MIB)

struct window_plan window_plan(uint32_t cpus, uint64_t ram, size_t codec_bytes, uint32_t pieces)
{
	uint64_t fixed, thread = THREAD_BYTES + codec_bytes, fit;
	uint32_t used = (uint32_t)min_u64(cpus, CPUS_MAX);
	struct window_plan plan;

	fixed = BASE_BYTES + used * CPU_BYTES + ram / GIB * PER_GIB_BYTES + pieces * PIECE_BYTES;
	fit = fixed < BUDGET_BYTES ? (BUDGET_BYTES - fixed) / thread : 0;
	plan.threads = (uint32_t)min_u64(used, max_u64(fit, THREADS_LEAST));
	plan.bytes = align_up(fixed + plan.threads * thread, WINDOW_ALIGN);
	return plan;
}

static err_t choose_low(const struct range_list *memory, struct range_list *low)
{
	uint64_t bytes;

	low->count = 0;
	for (size_t i = 0; i < memory->count; i++) {
		const struct range *r = &memory->r[i];
		uint64_t start = align_up(max_u64(r->start, PAGE_BYTES), PAGE_BYTES);
		uint64_t end = align_down(min_u64(r->end, LOW_END), PAGE_BYTES);

		if (r->type == RANGE_RAM && start < end && !range_add(low, start, end, RANGE_RAM))
			return err_new(ERR_REFUSED,
				       "the firmware's memory map has too many pieces");
	}
	bytes = range_bytes(low, RANGE_RAM);
	if (bytes < 256 * KIB)
		return err_new(ERR_REFUSED,
			       "only %llu KiB of RAM below 640 KiB; CPUs cannot be "
			       "started from that",
			       (unsigned long long)(bytes / KIB));
	range_sort(low);
	return NULL;
}

static bool fits(const struct range_list *memory, uint64_t at, uint64_t bytes)
{
	const struct range *r = range_holding(memory, at, at + bytes);

	return r && r->type == RANGE_RAM && at >= MIB && at + bytes <= BELOW &&
	       at % WINDOW_ALIGN == 0;
}

static bool take_crashkernel(const struct range_list *memory, uint64_t bytes, struct window *w)
{
	struct range_list crash;
	uint64_t at;

	if (!iomem_find("Crash kernel", &crash))
		return false;
	for (size_t i = 0; i < crash.count; i++) {
		at = align_up(crash.r[i].start, WINDOW_ALIGN);
		if (at + bytes <= crash.r[i].end && fits(memory, at, bytes)) {
			w->main = (struct range){at, at + bytes, RANGE_RAM};
			w->why = "the crashkernel reservation";
			return true;
		}
	}
	return false;
}

static uint64_t mem_free_bytes(void)
{
	CLEANUP_FREE char *text = NULL;
	unsigned long long kib;
	const char *line;
	size_t n;
	err_t e = io_read_file("/proc/meminfo", 1 << 20, &text, &n);

	if (e) {
		err_free(e);
		return 0;
	}
	line = strstr(text, "MemFree:");
	if (!line || sscanf(line, "MemFree: %llu", &kib) != 1)
		return 0;
	return kib * KIB;
}

/* Hold more, up to bytes in all, as long as enough stays free for loading. */
static void hold(struct window *w, uint64_t bytes)
{
	uint64_t spare = mem_free_bytes();
	uint8_t *p = w->held;

	if (spare < SPARE_BYTES + HOLD_STEP || bytes > HOLD_MAX)
		return;
	if (!p) {
		p = mmap(NULL, HOLD_MAX, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED)
			return;
		madvise(p, HOLD_MAX, MADV_HUGEPAGE);
		madvise(p, HOLD_MAX, MADV_DONTFORK);
		w->held = p;
	}
	/* Locked elsewhere with MCL_FUTURE or not, each page must be there. */
	for (uint64_t at = w->held_bytes; at < bytes; at += PAGE_BYTES)
		((volatile uint8_t *)p)[at] = 1;
	w->held_bytes = bytes;
}

/* For each 2 MiB of memory below 4 GiB: how many of its pages are free, by sample. */
struct free_map {
	uint16_t free[BELOW / (SAMPLE_STRIDE * PAGE_BYTES)];
};

static err_t sample(const struct range_list *memory, struct free_map *map)
{
	CLEANUP_CLOSE int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	uint64_t flags[SAMPLE_PAGES];

	if (fd < 0)
		return err_errno("opening /proc/kpageflags");
	for (size_t i = 0; i < ARRAY_LEN(map->free); i++) {
		uint64_t pfn = i * SAMPLE_STRIDE;
		unsigned int n = 0;

		map->free[i] = 0;
		if (!fits(memory, pfn << PAGE_BITS, WINDOW_ALIGN))
			continue;
		TRY(io_pread(fd, flags, sizeof(flags), pfn * sizeof(flags[0]), "/proc/kpageflags"));
		for (size_t k = 0; k < SAMPLE_PAGES; k++)
			n += !!(flags[k] & KPF_BUDDY);
		map->free[i] = (uint16_t)(n * (SAMPLE_STRIDE / SAMPLE_PAGES));
	}
	return NULL;
}

/* The candidate with the fewest free pages; false when none fits. Not over the
 * kernel itself, where parked CPUs sit (kexec-jump notes in docs/design.md). */
static bool best(const struct range_list *memory, const struct range_list *avoid,
		 const struct free_map *map, uint64_t bytes, struct window *w)
{
	size_t steps = bytes / WINDOW_ALIGN;
	bool found = false;

	for (uint64_t at = WINDOW_ALIGN; at + bytes <= BELOW; at += WINDOW_ALIGN) {
		uint64_t n = 0;

		if (!fits(memory, at, bytes) || range_overlaps(avoid, at, at + bytes))
			continue;
		for (size_t i = 0; i < steps; i++)
			n += map->free[at / WINDOW_ALIGN + i];
		/* On equal terms the higher one: the low ones are scarce. */
		if (!found || n <= w->free_pages) {
			w->main = (struct range){at, at + bytes, RANGE_RAM};
			w->free_pages = n;
			found = true;
		}
	}
	return found;
}

/* Give back what is held outside of the window. */
static void trim(struct window *w)
{
	CLEANUP_CLOSE int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint8_t *p = w->held;

	for (uint64_t at = 0; fd >= 0 && at < w->held_bytes; at += WINDOW_ALIGN) {
		uint64_t first = ((uint64_t)p + at) >> PAGE_BITS, entry, where;

		/* One look for each 2 MiB: a huge page is in one piece, and small
		 * pages in doubt stay held. */
		if (pread(fd, &entry, sizeof(entry), (off_t)(first * sizeof(entry))) !=
		    sizeof(entry))
			return;
		where = (entry & ((1ull << 55) - 1)) << PAGE_BITS;
		if (where < w->main.start || where >= w->main.end)
			madvise(p + at, WINDOW_ALIGN, MADV_DONTNEED);
	}
}

static err_t search(const struct range_list *memory, uint64_t bytes, struct window *w)
{
	CLEANUP_FREE struct free_map *map = calloc(1, sizeof(*map));
	struct range_list kernel;

	if (!map)
		return err_new(ERR_NOMEM, "choosing a window");
	/* "Kernel code", "Kernel rodata", "Kernel data", "Kernel bss" */
	iomem_find("Kernel ", &kernel);
	for (uint64_t n = bytes; n <= HOLD_MAX; n += HOLD_STEP) {
		uint64_t before = w->held_bytes;
		err_t e;

		hold(w, n);
		e = sample(memory, map);
		if (e) /* no /proc/kpageflags: any place will do, slowly */
			err_free(e);
		if (!best(memory, &kernel, map, bytes, w))
			return err_new(ERR_REFUSED, "no %llu MiB of RAM in one piece below 4 GiB",
				       (unsigned long long)(bytes / MIB));
		if (w->free_pages <= FEW_PAGES || w->held_bytes == before)
			break;
	}
	if (w->held)
		trim(w);
	w->why = "few free pages";
	return NULL;
}

err_t window_choose(const struct range_list *memory, uint64_t main_bytes, uint64_t forced,
		    struct window *out)
{
	err_t e;

	*out = (struct window){0};
	TRY(choose_low(memory, &out->low));
	if (forced) {
		if (!fits(memory, forced, main_bytes))
			return err_new(ERR_REFUSED,
				       "there are no %llu MiB of RAM at 0x%llx, 2 MiB "
				       "aligned and below 4 GiB, for the window",
				       (unsigned long long)(main_bytes / MIB),
				       (unsigned long long)forced);
		out->main = (struct range){forced, forced + main_bytes, RANGE_RAM};
		out->why = "as configured";
		return NULL;
	}
	if (take_crashkernel(memory, main_bytes, out))
		return NULL;
	e = search(memory, main_bytes, out);
	if (e)
		window_release(out);
	return e;
}

void window_release(struct window *w)
{
	if (w->held)
		munmap(w->held, HOLD_MAX);
	w->held = NULL;
	w->held_bytes = 0;
}
