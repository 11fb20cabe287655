/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: the checksum not compared; the version not; the spare
 * bytes not; a place that is no multiple of 4096, or 0, or above 2^63; the signature not
 * looked at; the checksum looked at before it; a locator that counts cleared, or what is none;
 * the signature cleared, too.
 */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "formats/locator.h"

static uint8_t buf[LOCATOR_BYTES];

static const struct locator sample = {.nonce = "the image's own", .map = 0x123456789000};

static err_t decode(struct locator *out)
{
	uint8_t *copy = unit_copy(buf, sizeof(buf));
	err_t e = locator_decode(copy, out);

	free(copy);
	return e;
}

static void reseal(void)
{
	le32_t crc = le32_of(crc32c(0, buf, 498));

	memcpy(buf + 498, &crc, sizeof(crc));
}

static void test_round_trip(void **state)
{
	struct locator got;

	(void)state;
	locator_encode(&sample, buf);
	assert_memory_equal(buf, "DORM-LOC\1\0\0\0\0\0\0\0the image's own", 31);
	assert_memory_equal(buf + 32, "\0\x90\x78\x56\x34\x12\0\0", 8);
	assert_memory_equal(buf + 502, "LINHIB0001", 10);
	assert_ok(decode(&got));
	assert_memory_equal(&got, &sample, sizeof(got));
}

static bool is_magic_or_signature(size_t byte)
{
	return byte < 8 || byte >= 502;
}

static void test_every_flip(void **state)
{
	struct locator got = sample;

	(void)state;
	for (size_t bit = 0; bit < 8 * LOCATOR_BYTES; bit++) {
		locator_encode(&sample, buf);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_err(decode(&got), is_magic_or_signature(bit / 8) ? ERR_FORMAT : ERR_CORRUPT);
		assert_memory_equal(&got, &sample, sizeof(got));
	}
}

/* Turned on since: swapon has put its signature back, and nothing else. */
static void test_turned_on(void **state)
{
	struct locator got;

	(void)state;
	locator_encode(&sample, buf);
	memcpy(buf + 502, "SWAPSPACE2", 10);
	assert_err(decode(&got), ERR_FORMAT);
	buf[300] ^= 1; /* whatever the rest holds */
	assert_err(decode(&got), ERR_FORMAT);
	memset(buf, 0, sizeof(buf));
	assert_err(decode(&got), ERR_FORMAT);
}

/* With the right checksum. */
static void test_bad_values(void **state)
{
	static const uint64_t maps[] = {0, 512, 4095, 1ull << 63, UINT64_MAX - 4095};
	struct locator got, l = sample;

	(void)state;
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		l.map = maps[i];
		locator_encode(&l, buf);
		assert_err(decode(&got), ERR_CORRUPT);
	}
	for (size_t at = 8; at < 498; at++) {
		locator_encode(&sample, buf);
		buf[at] ^= 0x40;
		reseal();
		if (at >= 16 && at < 40)
			err_free(decode(&got)); /* nonce and place: any but some */
		else
			assert_err(decode(&got), at < 12 ? ERR_UNSUPPORTED : ERR_CORRUPT);
	}
}

static void test_places(void **state)
{
	(void)state;
	assert_true(locator_place_ok(3584));
	assert_true(locator_place_ok((1ull << 40) + 3584));
	assert_false(locator_place_ok(0));
	assert_false(locator_place_ok(4096));
	assert_false(locator_place_ok(3583));
	assert_false(locator_place_ok((1ull << 63) + 3584));
}

/* Only what swapon has left of one, of whatever version. */
static void test_clear(void **state)
{
	static const uint8_t zeros[502];
	uint8_t before[LOCATOR_BYTES];

	(void)state;
	locator_encode(&sample, buf);
	memcpy(before, buf, sizeof(buf));
	assert_false(locator_clear(buf));
	memcpy(buf + 502, "S1SUSPEND\0", 10);
	assert_false(locator_clear(buf));
	assert_memory_equal(buf, before, 502);
	memcpy(buf + 502, "SWAPSPACE2", 10);
	buf[0] ^= 1;
	assert_false(locator_clear(buf));
	assert_memory_equal(buf + 1, before + 1, 501);
	buf[0] ^= 1;
	buf[8] = 9;
	assert_true(locator_clear(buf));
	assert_memory_equal(buf, zeros, sizeof(zeros));
	assert_memory_equal(buf + 502, "SWAPSPACE2", 10);
	assert_false(locator_clear(buf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_every_flip),
		cmocka_unit_test(test_turned_on),  cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_places),	   cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
