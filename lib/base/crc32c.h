/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4; check value of "123456789":
 * 0xe3069283). Start with crc = 0; feed the result back in to go on.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t n);

/* The same bit by bit, whatever the CPU has: for tests. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t n);

#endif
