/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which codec "auto" picks. Planted faults that made it fail: the target's speed
 * left out, the number of threads left out, the larger image of two near ones.
 */
#include "unit.h"

#include "base/util.h"
#include "image/chooser.h"

#define MS 1000000ull /* in ns */

/* As measured on one thread: 100 MiB of memory each. */
static const struct chooser_trial trials[] = {
	{200, 100 * MIB, 100 * MIB, 20 * MS}, /* none: 5000 MiB/s */
	{200, 100 * MIB, 50 * MIB, 200 * MS}, /* fast: 500 MiB/s to a half */
	{200, 100 * MIB, 35 * MIB, 400 * MS}, /* small: 250 MiB/s to a third */
};

static size_t pick(unsigned int threads, double mib_per_second)
{
	return chooser_pick(trials, ARRAY_LEN(trials), threads, mib_per_second * MIB);
}

static void by_speed(void **state)
{
	(void)state;
	assert_int_equal(pick(1, 4000), 0);
	assert_int_equal(pick(1, 300), 1);
	assert_int_equal(pick(1, 60), 2);
	assert_int_equal(pick(1, 0), 2); /* nothing was taken in the first second */
	/* More CPUs are worth nothing to "none", and much to the others. */
	assert_int_equal(pick(4, 300), 2);
	assert_int_equal(pick(16, 1500), 2);
	assert_int_equal(pick(4, 1500), 1);
}

static void near(void **state)
{
	const struct chooser_trial t[] = {
		{1, 100, 60, 1000}, {1, 100, 50, 1010}, {1, 100, 40, 1100}};

	(void)state;
	assert_int_equal(chooser_pick(t, 3, 1, 1e12), 1);
}

static void missing(void **state)
{
	struct chooser_trial t[] = {{0}, {1, 100, 100, 5}, {0}};

	(void)state;
	assert_int_equal(chooser_pick(t, 3, 1, 1e6), 1);
	t[1] = (struct chooser_trial){0};
	assert_int_equal(chooser_pick(t, 3, 1, 1e6), 0);
}

static void try_all(struct chooser *c, int chunks)
{
	bool measure;

	for (int i = 0; i < chunks; i++) {
		const struct codec_choice *choice = chooser_next(c, &measure);

		assert_true(measure);
		chooser_note(c, choice, 1000, 500, 1000);
	}
}

static void trial(void **state)
{
	const struct codec_choice automatic = {0};
	struct chooser c;
	bool measure;
	size_t count;

	(void)state;
	codec_candidates(&count);
	chooser_init(&c, &automatic, 2);
	assert_null(chooser_picked(&c));
	chooser_consider(&c, 5000, 0, 0); /* nothing to measure yet */
	assert_null(chooser_picked(&c));
	try_all(&c, (int)count);
	chooser_consider(&c, 999, 1, 1); /* too little, too early */
	assert_null(chooser_picked(&c));
	try_all(&c, 47 * (int)count);
	chooser_consider(&c, 10, 100 * MIB, 100 * MS); /* that is enough */
	assert_non_null(chooser_picked(&c));
	assert_ptr_equal(chooser_next(&c, &measure), chooser_picked(&c));
	assert_false(measure);

	chooser_init(&c, &automatic, 2);
	try_all(&c, (int)count);
	chooser_consider(&c, 1000, 1, 1);
	assert_non_null(chooser_picked(&c));
}

static void named(void **state)
{
	const struct codec_choice lzo = {codec_by_id(CODEC_LZO), 0};
	struct chooser c;
	bool measure;

	(void)state;
	chooser_init(&c, &lzo, 1);
	assert_ptr_equal(chooser_next(&c, &measure), &lzo);
	assert_false(measure);
	assert_ptr_equal(chooser_picked(&c), &lzo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_speed), cmocka_unit_test(near),  cmocka_unit_test(missing),
		cmocka_unit_test(trial),    cmocka_unit_test(named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
