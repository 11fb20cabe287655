/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writer's memory, decided up front. Planted faults that made it fail: the
 * budget not looked at, RAM left out, threads without an upper bound. */
#include "unit.h"

#include "base/util.h"
#include "codec/codec.h"
#include "jump/window.h"

static size_t scratch(const char *codec)
{
	struct codec_choice c;

	assert_ok(codec_choice_parse(codec, &c));
	return codec_choice_workspace(&c);
}

/* What docs/design.md promises. */
static void budget(void **state)
{
	static const char *const codecs[] = {"none", "lzo", "lz4", "zstd:1", "auto"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		for (uint32_t cpus = 1; cpus <= 64; cpus *= 2) {
			struct window_plan p = window_plan(cpus, 16 * GIB, scratch(codecs[i]), 0);

			assert_true(p.bytes <= 64 * MIB);
			assert_true(p.bytes % WINDOW_ALIGN == 0);
			assert_true(p.threads >= (cpus < 8 ? cpus : 8) && p.threads <= 16);
		}
}

static void least_threads(void **state)
{
	struct window_plan p = window_plan(16, 2 * GIB, scratch("zstd:19"), 0);

	(void)state;
	assert_int_equal(p.threads, 4);
	assert_true(p.bytes > 64 * MIB);
	assert_int_equal(window_plan(2, 2 * GIB, scratch("zstd:19"), 0).threads, 2);
}

static void grows_with_ram(void **state)
{
	(void)state;
	for (uint64_t gib = 16; gib < 2048; gib *= 2) {
		struct window_plan a = window_plan(4, gib * GIB, 0, 0);
		struct window_plan b = window_plan(4, 2 * gib * GIB, 0, 0);

		assert_int_equal(a.threads, 4);
		assert_true(b.bytes - a.bytes <= gib * 64 * KIB + WINDOW_ALIGN);
		assert_true(b.bytes - a.bytes + WINDOW_ALIGN >= gib * 32 * KIB);
	}
}

/* The largest extent map costs a writer of few threads some MiB more, and none of them. */
static void grows_with_pieces(void **state)
{
	struct window_plan a = window_plan(2, 2 * GIB, 0, 1), b = window_plan(2, 2 * GIB, 0, 65536);

	(void)state;
	assert_int_equal(a.threads, b.threads);
	assert_true(b.bytes - a.bytes >= 4 * MIB - WINDOW_ALIGN && b.bytes <= 64 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(budget),
		cmocka_unit_test(least_threads),
		cmocka_unit_test(grows_with_ram),
		cmocka_unit_test(grows_with_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
