/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine's physical memory to be read here and there: a host's behind the
 * writer (hostmem.h), or a dump's (elf/dump.h).
 */
#ifndef MEMORY_PHYSICAL_H
#define MEMORY_PHYSICAL_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct physical {
	void *self;

	/* n bytes from address on, or an error: ERR_FORMAT where there is no
	 * such memory. By one thread at a time. */
	err_t (*read)(void *self, uint64_t address, void *buf, size_t n);
};

static inline err_t physical_read(const struct physical *p, uint64_t address, void *buf, size_t n)
{
	return p->read(p->self, address, buf, n);
}

#endif
