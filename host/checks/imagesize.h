/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How large an image can get, as far as that is known before. */
#ifndef HOST_IMAGESIZE_H
#define HOST_IMAGESIZE_H

#include "host/checks/preflight.h"

#include <stdint.h>

/*
 * Bytes of memory that are not free. The firmware's RAM counts, all of which is saved: the
 * kernel's own count, MemTotal, is without its text and what describes its pages.
 */
uint64_t imagesize_used(const struct preflight *p);

/* Bytes of the largest image that there can be: nothing can be compressed. */
uint64_t imagesize_worst(const struct preflight *p);

/* Less it cannot be: nearly all of that memory is zeros, of which pages are only noted. */
uint64_t imagesize_least(const struct preflight *p);

#endif
