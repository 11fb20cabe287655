/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: end of a place not held against image_end, or
 * without its padding, count not held against the length, nonce not compared. */
#include "unit.h"

#include "base/bytes.h"
#include "formats/directory.h"

#define END 0x100000ull /* of the image */

static const uint8_t nonce[NONCE_BYTES] = "0123456789abcde";
static const uint8_t other[NONCE_BYTES] = "0123456789abcdX";
static const struct index_place places[] = {
	{0x4000, 65536, 0x11223344, {0}},
	{END - 4096, 40, 0xaabbccdd, {0}},
};

static err_t decode_copy(const uint8_t *buf, size_t n, uint32_t *count)
{
	uint8_t *copy = unit_copy(buf, n);
	err_t e = directory_decode(copy, n, nonce, false, count);

	free(copy);
	return e;
}

/* In the bytes of docs/image-format.md, and back. */
static void round_trip(void **state)
{
	static const uint8_t golden[] = {
		'D', 'O',  'R',	 'M', '-',  'D',  'I',	'R', /* 0 magic */
		'0', '1',  '2',	 '3', '4',  '5',  '6',	'7', /* 8 nonce */
		'8', '9',  'a',	 'b', 'c',  'd',  'e',	0,
		2,   0,	   0,	 0,   0,    0,	  0,	0, /* 24 count, reserved */
		0,   0x40, 0,	 0,   0,    0,	  0,	0, /* 32 place 0 */
		0,   0,	   1,	 0,   0x44, 0x33, 0x22, 0x11,
		0,   0xf0, 0x0f, 0,   0,    0,	  0,	0, /* 48 place 1 */
		40,  0,	   0,	 0,   0xdd, 0xcc, 0xbb, 0xaa,
	};
	struct index_place got;
	uint8_t buf[64];
	uint32_t count;

	(void)state;
	assert_int_equal(directory_bytes(2, false), sizeof(golden));
	directory_encode(places, 2, nonce, false, buf);
	assert_memory_equal(buf, golden, sizeof(golden));
	assert_ok(decode_copy(buf, sizeof(buf), &count));
	assert_int_equal(count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_ok(directory_place(buf, i, false, END, &got));
		assert_memory_equal(&got, &places[i], sizeof(got));
	}
}

static void sizes(void **state)
{
	uint8_t buf[64];
	uint32_t count;

	(void)state;
	directory_encode(places, 2, nonce, false, buf);
	for (size_t i = 0; i < sizeof(buf); i++)
		assert_err(decode_copy(buf, i, &count), ERR_CORRUPT);
	assert_err(directory_decode(buf, sizeof(buf), other, false, &count), ERR_CORRUPT);
	for (size_t bit = 0; bit < 32 * 8; bit++) { /* the header */
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_err(decode_copy(buf, sizeof(buf), &count), ERR_CORRUPT);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	directory_encode(NULL, 0, nonce, false, buf);
	assert_ok(decode_copy(buf, 32, &count));
	assert_int_equal(count, 0);
}

/* 32-bit arithmetic would take this for a directory of 48 bytes. */
static void count_does_not_wrap(void **state)
{
	le32_t huge = le32_of(0x10000001);
	uint8_t buf[64];
	uint32_t count;

	(void)state;
	directory_encode(places, 2, nonce, false, buf);
	memcpy(buf + 24, &huge, 4);
	assert_err(decode_copy(buf, 48, &count), ERR_CORRUPT);
}

static err_t place(uint64_t offset, uint32_t length, uint64_t end)
{
	struct index_place p = {offset, length, 0, {0}}, got;
	uint8_t buf[48];

	directory_encode(&p, 1, nonce, false, buf);
	return directory_place(buf, 0, false, end, &got);
}

static void bad_places(void **state)
{
	(void)state;
	assert_ok(place(END - 4096, 4096, END));
	assert_err(place(END - 4096, 4097, END), ERR_CORRUPT);
	assert_err(place(END - 4096, 4096, END - 1), ERR_CORRUPT);
	assert_err(place(END - 4096, 40, END - 1), ERR_CORRUPT); /* its padding counts */
	assert_err(place(END, 40, END), ERR_CORRUPT);
	assert_err(place(END + 4096, 40, END), ERR_CORRUPT);
	assert_err(place(END - 4095, 40, END), ERR_CORRUPT);
	assert_err(place(0x3000, 40, END), ERR_CORRUPT);
	assert_err(place(0x4000, 0, END), ERR_CORRUPT);
	assert_err(place(0x4000, 65537, END), ERR_CORRUPT);
	assert_err(place(0x4000, UINT32_MAX, END), ERR_CORRUPT);
	assert_err(place(UINT64_MAX & ~4095ull, 40, END), ERR_CORRUPT);
	assert_err(place(UINT64_MAX & ~4095ull, 4096, UINT64_MAX), ERR_CORRUPT);
}

/* In a sealed image a place has 32 bytes, the last 16 of them a tag. */
static void sealed(void **state)
{
	struct index_place tagged[2] = {places[0], places[1]}, got;
	uint8_t buf[32 + 2 * 32];
	uint32_t count;

	(void)state;
	memset(tagged[0].tag, 0x11, sizeof(tagged[0].tag));
	memset(tagged[1].tag, 0x22, sizeof(tagged[1].tag));
	assert_int_equal(directory_bytes(2, true), sizeof(buf));
	directory_encode(tagged, 2, nonce, true, buf);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(buf[32 + 16 + i], 0x11);
	assert_ok(directory_decode(buf, sizeof(buf), nonce, true, &count));
	assert_int_equal(count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_ok(directory_place(buf, i, true, END, &got));
		assert_memory_equal(&got, &tagged[i], sizeof(got));
	}
	assert_err(directory_decode(buf, sizeof(buf), nonce, false, &count), ERR_CORRUPT);
	assert_err(directory_decode(buf, sizeof(buf) - 16, nonce, true, &count), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed),     cmocka_unit_test(round_trip),
		cmocka_unit_test(sizes),      cmocka_unit_test(count_does_not_wrap),
		cmocka_unit_test(bad_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
