/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Byte-order types for what lies on disk: no alignment, no host order by accident. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
	uint8_t b[2];
} le16_t;
typedef struct {
	uint8_t b[4];
} le32_t;
typedef struct {
	uint8_t b[8];
} le64_t;

static inline uint16_t le16_get(le16_t v)
{
	return (uint16_t)(v.b[0] | v.b[1] << 8);
}

static inline uint32_t le32_get(le32_t v)
{
	return v.b[0] | v.b[1] << 8 | v.b[2] << 16 | (uint32_t)v.b[3] << 24;
}

static inline uint64_t le64_get(le64_t v)
{
	uint64_t x = 0;

	for (int i = 7; i >= 0; i--)
		x = x << 8 | v.b[i];
	return x;
}

static inline le16_t le16_of(uint16_t x)
{
	return (le16_t){{(uint8_t)x, (uint8_t)(x >> 8)}};
}

static inline le32_t le32_of(uint32_t x)
{
	return (le32_t){{(uint8_t)x, (uint8_t)(x >> 8), (uint8_t)(x >> 16), (uint8_t)(x >> 24)}};
}

static inline le64_t le64_of(uint64_t x)
{
	le64_t v;

	for (int i = 0; i < 8; i++, x >>= 8)
		v.b[i] = (uint8_t)x;
	return v;
}

#endif
