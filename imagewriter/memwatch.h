/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much memory the writer has used: its window must hold the worst case, and
 * is no larger than it has to be (jump/window.h, window_bytes).
 */
#ifndef IMAGEWRITER_MEMWATCH_H
#define IMAGEWRITER_MEMWATCH_H

#include <stdint.h>

struct memwatch {
	uint64_t least_kib; /* MemAvailable; UINT64_MAX: not looked yet */
};

void memwatch_init(struct memwatch *m);

/* Look now; what cannot be read does not count. */
void memwatch_tick(struct memwatch *m);

/* Into the log: "memory: 12.3 MiB of the window were never used". */
void memwatch_log(const struct memwatch *m);

#endif
