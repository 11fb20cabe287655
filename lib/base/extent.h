/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_EXTENT_H
#define BASE_EXTENT_H

#include <stdint.h>

/* A part of a device: bytes, both multiples of 4096. The address space of an
 * image is its target's extents, one after the other. */
struct extent {
	uint64_t start;
	uint64_t length;
};

#define EXTENTS_MAX 512u

#endif
