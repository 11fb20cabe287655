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
	struct range_list low;	/* sorted */
	uint64_t free_pages;	/* of main, when it was chosen; for messages */
	const char *why;	/* "crashkernel reservation", "few free pages", "as configured" */
	void *held;		/* memory held meanwhile, private */
	uint64_t held_bytes;
};

/*
 * Bytes of the main window for a host of so many CPUs and so much RAM: its copies
 * have to be made, exchanged and exchanged back, so it is as small as does. The
 * codec_bytes: scratch memory of one compressing thread. The writer was seen to use 38 MiB at most with 2 CPUs and 2 GiB (measured as its
 * least MemAvailable); each more CPU takes some 1.3 MiB, each GiB 64 KiB. 64 MiB
 * at most up to 16 CPUs and 64 GiB.
 */
uint64_t window_bytes(uint32_t cpus, uint64_t ram, size_t codec_bytes);

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
