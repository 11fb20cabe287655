/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How large an image can get, as far as that is known before. */
#ifndef HOST_IMAGESIZE_H
#define HOST_IMAGESIZE_H

#include "host/checks/preflight.h"

#include <stdint.h>

/*
 * Bytes of memory that the image has to do with: all that is not free, or all of it where
 * free pages are saved too, since this kernel trusts in what they hold or they cannot be
 * told from others (no vmcoreinfo). The firmware's RAM counts: the kernel's own count,
 * MemTotal, is without its text and what describes its pages.
 */
uint64_t imagesize_used(const struct preflight *p);

/* Bytes of the largest image that there can be: nothing can be compressed. */
uint64_t imagesize_worst(const struct preflight *p);

/* About what it will be: half of that, as codecs go. All of it where nothing is compressed, or
 * perhaps nothing will be (codec none, auto). */
uint64_t imagesize_likely(const struct preflight *p);

/* Less it will hardly be. */
uint64_t imagesize_hardly(const struct preflight *p);

/* Less it cannot be: nearly all of that memory is zeros, of which pages are only noted. */
uint64_t imagesize_least(const struct preflight *p);

#endif
