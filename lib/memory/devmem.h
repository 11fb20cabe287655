/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Physical memory through /dev/mem. Only mmap: read and write reach no further
 * than the running kernel's own memory (arch/x86/mm/mmap.c,
 * valid_phys_addr_range), and fail above it with EFAULT.
 */
#ifndef MEMORY_DEVMEM_H
#define MEMORY_DEVMEM_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct devmem {
	int fd;
	bool writable;
};

err_t devmem_open(struct devmem *m, bool writable) ERR_CHECK;
void devmem_close(struct devmem *m);

/* Map [physical, physical + n), both page aligned. */
err_t devmem_map(const struct devmem *m, uint64_t physical, size_t n, uint8_t **out) ERR_CHECK;
void devmem_unmap(uint8_t *p, size_t n);

#endif
