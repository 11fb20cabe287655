/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_EXTENT_H
#define BASE_EXTENT_H

#include "base/err.h"

#include <stdint.h>

/* A part of a device: bytes, both multiples of 4096. The address space of an
 * image is its target's extents, one after the other. */
struct extent {
	uint64_t start;
	uint64_t length;
};

#define EXTENTS_MAX 65536u

/*
 * Whole blocks of 4 KiB, none empty, all within a device of so many bytes, apart from
 * each other, in any order? Otherwise an error of this kind, which names the first bad
 * one, or ERR_NOMEM.
 */
err_t extent_check(const struct extent *extents, uint32_t count, uint64_t device_bytes,
		   enum err_kind kind) ERR_CHECK;

#endif
