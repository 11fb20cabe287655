/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The windows: the physical memory that the writer runs in. The main window
 * holds everything but what CPUs need to start, which must lie below 1 MiB: the
 * low window, as many pieces as the firmware's map leaves there.
 *
 * Loading time grows with the square of the pages that the kernel's allocator
 * hands out inside of a window (kernel/kexec_core.c, kimage_alloc_page), so a
 * main window is chosen where few pages are free: some memory is held while one
 * looks, and until everything is loaded.
 */
#ifndef JUMP_WINDOW_H
#define JUMP_WINDOW_H

#include "base/err.h"
#include "base/range.h"

#include <stdint.h>

#define WINDOW_ALIGN (2ull << 20)

struct window {
	struct range main;
	struct range_list low; /* sorted */
	uint64_t free_pages;   /* of main, when it was chosen; for messages */
	const char *why;       /* "crashkernel reservation", "few free pages", "as configured" */
	void *held;	       /* memory held meanwhile, private */
	uint64_t held_bytes;
};

/*
 * The writer's memory, decided before it is loaded: bytes of the main window for
 * a host of so many CPUs and so much RAM, and how many threads may compress in
 * it. codec_bytes: scratch memory of each. pieces: extents of the target. The window's copies have
 * to be made, exchanged and exchanged back, so it is as small as does: 64 MiB at most as long as
 * four threads fit; 64 KiB more for each GiB. Measured by tests/vm/run memory.
 */
struct window_plan {
	uint64_t bytes;
	uint32_t threads;
};

struct window_plan window_plan(uint32_t cpus, uint64_t ram, size_t codec_bytes, uint32_t pieces);

/*
 * Choose. memory: the firmware's map. forced: an address to take instead (2 MiB
 * aligned), or 0. ERR_REFUSED: no room below 640 KiB, none of main_bytes in one
 * piece, forced is not in RAM. Needs root (/proc/kpageflags; without it any
 * place in RAM is taken). Call window_release after loading.
 */
err_t window_choose(const struct range_list *memory, uint64_t main_bytes, uint64_t forced,
		    struct window *out) ERR_CHECK;
void window_release(struct window *w);

#endif
