/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two ways, the faster one chosen by a measurement on first use: the CPU's own
 * instruction, and tables for 16 bytes at a time ("slicing"). On hardware the
 * instruction wins by far; an emulated CPU may run it bit by bit.
 */
#include "base/crc32c.h"

#include <nmmintrin.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define POLY	    0x82f63b78u /* Castagnoli, reflected */
#define SLICES	    16
#define TRIAL_BYTES 4096

/* Written once, by choose(). slice[k][b]: the CRC of byte b, k zero bytes before the end. */
static struct {
	pthread_once_t once;
	uint32_t slice[SLICES][256];
	bool instruction;
} chosen = {.once = PTHREAD_ONCE_INIT};

static uint32_t one_byte(uint32_t crc)
{
	for (int bit = 0; bit < 8; bit++)
		crc = crc >> 1 ^ (crc & 1 ? POLY : 0);
	return crc;
}

static void make_tables(void)
{
	for (uint32_t b = 0; b < 256; b++)
		chosen.slice[0][b] = one_byte(b);
	for (int k = 1; k < SLICES; k++)
		for (uint32_t b = 0; b < 256; b++) {
			uint32_t before = chosen.slice[k - 1][b];

			chosen.slice[k][b] = chosen.slice[0][before & 0xff] ^ before >> 8;
		}
}

static uint64_t word_at(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

/* Eight bytes, the first of which is far from the end of its 16. */
static uint32_t eight(uint64_t word, int far)
{
	uint32_t crc = 0;

#pragma GCC unroll 8
	for (int i = 0; i < 8; i++, word >>= 8)
		crc ^= chosen.slice[far - i][word & 0xff];
	return crc;
}

static uint32_t by_tables(uint32_t crc, const uint8_t *p, size_t n)
{
	crc = ~crc;
	for (; n >= 16; n -= 16, p += 16)
		crc = eight(word_at(p) ^ crc, 15) ^ eight(word_at(p + 8), 7);
	for (; n; n--)
		crc = chosen.slice[0][(crc ^ *p++) & 0xff] ^ crc >> 8;
	return ~crc;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *p,
								 size_t n)
{
	uint64_t c = ~crc;

	for (; n >= 8; n -= 8, p += 8)
		c = _mm_crc32_u64(c, word_at(p));
	for (; n; n--)
		c = _mm_crc32_u8((uint32_t)c, *p++);
	return ~(uint32_t)c;
}

static uint64_t time_of(uint32_t (*way)(uint32_t, const uint8_t *, size_t), const uint8_t *data)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 3; i++) {
		struct timespec from, to;
		volatile uint32_t result;
		uint64_t ns;

		clock_gettime(CLOCK_MONOTONIC, &from);
		result = way(0, data, TRIAL_BYTES);
		clock_gettime(CLOCK_MONOTONIC, &to);
		(void)result;
		ns = (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000 + (uint64_t)to.tv_nsec -
		     (uint64_t)from.tv_nsec;
		best = ns < best ? ns : best;
	}
	return best;
}

static void choose(void)
{
	uint8_t data[TRIAL_BYTES];

	memset(data, 0x5a, sizeof(data));
	make_tables();
	chosen.instruction = __builtin_cpu_supports("sse4.2") &&
			     time_of(by_instruction, data) <= time_of(by_tables, data);
}

uint32_t crc32c(uint32_t crc, const void *data, size_t n)
{
	pthread_once(&chosen.once, choose);
	return chosen.instruction ? by_instruction(crc, data, n) : by_tables(crc, data, n);
}

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t n)
{
	pthread_once(&chosen.once, choose);
	return by_tables(crc, data, n);
}
