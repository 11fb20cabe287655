/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: the checksum not compared, the reserved bytes not
 * looked at.
 */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "formats/keyblock.h"

static struct keyblock sample(void)
{
	struct keyblock k;

	memset(k.nonce, 0x11, sizeof(k.nonce));
	memset(k.ephemeral, 0x22, sizeof(k.ephemeral));
	memset(k.recipient, 0x33, sizeof(k.recipient));
	memset(k.sealed, 0x44, sizeof(k.sealed));
	memset(k.tag, 0x55, sizeof(k.tag));
	return k;
}

static void reseal(uint8_t buf[KEYBLOCK_BYTES])
{
	le32_t crc = le32_of(crc32c(0, buf, KEYBLOCK_BYTES - 4));

	memcpy(buf + KEYBLOCK_BYTES - 4, &crc, sizeof(crc));
}

static void assert_bytes(const uint8_t *p, size_t n, uint8_t wanted)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i], wanted);
}

static void golden_bytes(void **state)
{
	struct keyblock k = sample(), got;
	uint8_t buf[KEYBLOCK_BYTES];

	(void)state;
	keyblock_encode(&k, buf);
	assert_memory_equal(buf, "DORM-KEY\1\0\0\0\0\0\0", 16);
	assert_bytes(buf + 16, 16, 0x11);
	assert_bytes(buf + 32, 32, 0x22);
	assert_bytes(buf + 64, 32, 0x33);
	assert_bytes(buf + 96, 32, 0x44);
	assert_bytes(buf + 128, 16, 0x55);
	assert_bytes(buf + 144, KEYBLOCK_BYTES - 148, 0);
	assert_ok(keyblock_decode(buf, &got));
	assert_memory_equal(&got, &k, sizeof(k));
}

static void every_bit_flip_is_refused(void **state)
{
	struct keyblock k = sample(), got, before;
	uint8_t buf[KEYBLOCK_BYTES];

	(void)state;
	keyblock_encode(&k, buf);
	memset(&got, 0x5a, sizeof(got));
	before = got;
	for (size_t bit = 0; bit < KEYBLOCK_BYTES * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_err(keyblock_decode(buf, &got), bit < 64 ? ERR_FORMAT : ERR_CORRUPT);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_memory_equal(&got, &before, sizeof(got));
}

static err_t decode_with(size_t offset, uint8_t byte)
{
	struct keyblock k = sample(), got;
	uint8_t buf[KEYBLOCK_BYTES];

	keyblock_encode(&k, buf);
	buf[offset] = byte;
	reseal(buf);
	return keyblock_decode(buf, &got);
}

static void rules(void **state)
{
	uint8_t wiped[KEYBLOCK_BYTES] = {0};
	struct keyblock got;

	(void)state;
	assert_err(decode_with(8, 2), ERR_UNSUPPORTED);
	assert_err(decode_with(12, 1), ERR_CORRUPT);
	assert_err(decode_with(144, 1), ERR_CORRUPT);
	assert_err(decode_with(KEYBLOCK_BYTES - 5, 1), ERR_CORRUPT);
	assert_err(keyblock_decode(wiped, &got), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_bytes),
		cmocka_unit_test(every_bit_flip_is_refused),
		cmocka_unit_test(rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
