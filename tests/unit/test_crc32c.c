/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: another polynomial, no final inversion, the
 * tail of less than 8 bytes left out of the fast path. */
#include "unit.h"

#include "base/crc32c.h"

typedef uint32_t (*crc_fn)(uint32_t crc, const void *data, size_t n);

/* RFC 3720, appendix B.4, and the usual check value. */
static void known_values(crc_fn crc)
{
	uint8_t buf[32];

	assert_int_equal(crc(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc(0, "", 0), 0);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(crc(0, buf, 32), 0x8a9136aa);
	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(crc(0, buf, 32), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		buf[i] = (uint8_t)i;
	assert_int_equal(crc(0, buf, 32), 0x46dd794e);
	for (int i = 0; i < 32; i++)
		buf[i] = (uint8_t)(31 - i);
	assert_int_equal(crc(0, buf, 32), 0x113fdb5c);
}

static void rfc3720(void **state)
{
	(void)state;
	known_values(crc32c);
	known_values(crc32c_portable);
}

/* Both ways agree on every length and alignment, whole and in two parts. */
static void same_both_ways(void **state)
{
	uint8_t buf[80];
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)unit_random(&seed);
	for (size_t start = 0; start < 9; start++) {
		for (size_t n = 0; start + n <= sizeof(buf); n++) {
			uint32_t whole = crc32c_portable(0, buf + start, n);

			assert_int_equal(crc32c(0, buf + start, n), whole);
			assert_int_equal(crc32c(crc32c(0, buf + start, n / 3), buf + start + n / 3,
						n - n / 3),
					 whole);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc3720),
		cmocka_unit_test(same_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
