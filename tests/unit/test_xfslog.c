/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "fingerprint/xfslog.h"

#define SECTORS 1000u

static uint32_t cycles[SECTORS];

static err_t read_fake(void *arg, uint64_t sector, uint8_t buf[XFSLOG_SECTOR])
{
	uint32_t c = cycles[sector];
	uint8_t *p = buf;

	(void)arg;
	if (sector % 3 == 0) { /* a record's header */
		memcpy(p, "\xfe\xed\xba\xbe", 4);
		p += 4;
	}
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(c >> (24 - 8 * i));
	return NULL;
}

static void every_head(void **state)
{
	struct xfslog log = {SECTORS, NULL, read_fake};
	uint64_t head;
	bool found;

	(void)state;
	for (uint32_t now = 1; now < 4; now += 2) {
		for (uint64_t want = 1; want <= SECTORS; want++) {
			for (uint64_t i = 0; i < SECTORS; i++)
				cycles[i] = i < want ? now : now - 1;
			assert_ok(xfslog_head(&log, &head, &found));
			assert_true(found);
			assert_int_equal(head, want % SECTORS);
		}
	}
}

static void no_log(void **state)
{
	struct xfslog log = {SECTORS, NULL, read_fake};
	uint64_t head, seed = 1;
	bool found;

	(void)state;
	for (uint64_t i = 0; i < SECTORS; i++)
		cycles[i] = (uint32_t)unit_random(&seed);
	assert_ok(xfslog_head(&log, &head, &found));
	assert_false(found);
	memset(cycles, 0, sizeof(cycles));
	assert_ok(xfslog_head(&log, &head, &found));
	assert_false(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_head),
		cmocka_unit_test(no_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
