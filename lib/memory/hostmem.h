/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The host's memory as the host sees it, from the writer. What the host had
 * inside the windows was exchanged, page by page, with pages elsewhere, by the
 * jump; the list of these exchanges is the host's kimage. hostmem finds it from
 * the jump-back entry, checks it, and reads (and writes) such pages where they
 * are now. Not for several threads at once.
 */
#ifndef MEMORY_HOSTMEM_H
#define MEMORY_HOSTMEM_H

#include "base/err.h"
#include "base/range.h"
#include "memory/devmem.h"
#include "memory/exchanged.h"
#include "memory/physical.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hostmem {
	struct devmem dev;
	struct exchanged exchanged;
	uint64_t cached; /* physical start of the mapping in view, or UINT64_MAX */
	uint8_t *view;
};

err_t hostmem_init(struct hostmem *m, const struct range_list *windows, bool writable) ERR_CHECK;
void hostmem_deinit(struct hostmem *m);

/*
 * Look for the list of exchanged pages. entry: the jump-back entry, on the
 * host's control page. memory: the firmware's map. On ERR_FORMAT there is no
 * list that can be trusted, and windows stay unreadable.
 */
err_t hostmem_find_backup(struct hostmem *m, uint64_t entry, const struct range_list *memory)
	ERR_CHECK;

/* Bytes of the host's physical memory. ERR_FORMAT: in a window, without a list. */
err_t hostmem_read(struct hostmem *m, uint64_t physical, void *buf, size_t n) ERR_CHECK;
err_t hostmem_write(struct hostmem *m, uint64_t physical, const void *buf, size_t n) ERR_CHECK;

/* Reading it as an interface; valid while m is. */
struct physical hostmem_physical(struct hostmem *m);

#endif
