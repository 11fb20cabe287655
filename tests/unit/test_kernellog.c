/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: lines in the order of reading, a first message
 * without its number taken, a line that just fits left out, control characters kept. */
#include "unit.h"

#include "formats/kernellog.h"

static uint8_t ring[4096];
static size_t used;

static void message(uint8_t number, const char *text)
{
	size_t n = strlen(text);

	memset(ring + used, 0, 8);
	ring[used] = number;
	memcpy(ring + used + 8, text, n);
	used += 8 + (n + 7) / 8 * 8;
}

static void lines(void **state)
{
	char out[64];

	(void)state;
	memset(ring, 0, sizeof(ring));
	used = 8;
	memcpy(ring, "of older", 8);
	message(1, "one");
	message(2, "\033two\t");
	message(3, "");
	message(4, "exactly8");
	kernellog_text(ring, used, out, sizeof(out));
	assert_string_equal(out, "one\ntwo\nexactly8\n");
}

/* As the kernel leaves them: numbers close to 2^32, and what stripping left. */
static void as_the_kernel_does(void **state)
{
	char out[64];

	(void)state;
	memset(ring, 0, sizeof(ring));
	used = 0;
	for (uint8_t i = 0; i < 4; i++) {
		size_t at = used;

		message((uint8_t)(0xfe + i), i < 2 ? "Trigger a crashsh\n" : "no level\n");
		if (i < 2)
			memset(ring + at + 1, 0xff, 3);
	}
	kernellog_text(ring, used, out, sizeof(out));
	assert_string_equal(out, "Trigger a crash\nTrigger a crash\nno level\nno level\n");
}

static void the_last_ones_that_fit(void **state)
{
	char out[10];

	(void)state;
	memset(ring, 0, sizeof(ring));
	used = 0;
	message(1, "one");
	message(2, "two");
	message(3, "four");
	kernellog_text(ring, used, out, sizeof(out));
	assert_string_equal(out, "two\nfour\n");
	kernellog_text(ring, used, out, 9);
	assert_string_equal(out, "four\n");
	kernellog_text(ring, used, out, 1);
	assert_string_equal(out, "");
}

static void anything(void **state)
{
	char out[2048];

	(void)state;
	kernellog_text(ring, 0, out, sizeof(out));
	assert_string_equal(out, "");
	for (unsigned int seed = 1; seed < 200; seed++) {
		uint8_t *copy = unit_copy(ring, sizeof(ring));

		srand(seed);
		for (size_t i = 0; i < sizeof(ring); i++)
			copy[i] = (uint8_t)(rand() % 7 ? rand() % 2 * rand() : 0);
		kernellog_text(copy, sizeof(ring), out, 1 + seed * 10);
		assert_true(strlen(out) <= seed * 10);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(as_the_kernel_does),
		cmocka_unit_test(the_last_ones_that_fit),
		cmocka_unit_test(anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
