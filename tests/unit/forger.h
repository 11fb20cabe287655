/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes that no CRC-32C finds: it protects against accidents, and is no secret. */
#ifndef FORGER_H
#define FORGER_H

#include "base/crc32c.h"
#include "tempfile.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define FORGER_POLYNOMIAL 0x82f63b78u /* reflected */
#define FORGER_BYTES	  5u	      /* that forger_flip changes */

/*
 * Turn bits around in five bytes in a row, so that any checksum over all of them stays
 * as it is: the polynomial itself is added to the message, and a multiple of it leaves
 * no remainder. Doing it again takes it back.
 */
static inline void forger_flip(struct tempfile *f, uint64_t offset)
{
	uint64_t pattern = 1 | (uint64_t)FORGER_POLYNOMIAL << 1;

	for (unsigned int i = 0; i < FORGER_BYTES; i++)
		tempfile_flip(f, offset + i, (uint8_t)(pattern >> 8 * i));
}

/* The last four of n bytes become such that the checksum is the one that is wanted. */
static inline void forger_fix(uint8_t *p, size_t n, uint32_t wanted)
{
	uint32_t before = ~crc32c(0, p, n - 4), after = ~wanted;

	for (int bit = 0; bit < 32; bit++)
		after = after & 0x80000000u ? (after ^ FORGER_POLYNOMIAL) << 1 | 1 : after << 1;
	after ^= before;
	for (int i = 0; i < 4; i++)
		p[n - 4 + (size_t)i] = (uint8_t)(after >> 8 * i);
	if (crc32c(0, p, n) != wanted)
		abort();
}

static inline uint8_t *forger_read(struct tempfile *f, uint64_t offset, size_t n)
{
	uint8_t *p = malloc(n);

	if (!p || pread(f->fd, p, n, (off_t)offset) != (ssize_t)n)
		abort();
	return p;
}

static inline void forger_write(struct tempfile *f, uint64_t offset, const uint8_t *p, size_t n)
{
	if (pwrite(f->fd, p, n, (off_t)offset) != (ssize_t)n)
		abort();
}

/* Other bytes in a place, with the checksum that was there. */
static inline void forger_put(struct tempfile *f, uint64_t offset, const uint8_t *p, size_t n)
{
	uint8_t *there = forger_read(f, offset, n), *forged = malloc(n);

	if (!forged)
		abort();
	memcpy(forged, p, n);
	forger_fix(forged, n, crc32c(0, there, n));
	forger_write(f, offset, forged, n);
	free(there);
	free(forged);
}

#endif
