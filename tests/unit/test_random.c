/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: what comes short taken for all; an interruption taken for an
 * error; an error for randomness.
 */
#include "unit.h"

#include "keys/random.h"

#include <errno.h>
#include <sys/random.h>

/* In place of libc's: a few bytes at a time, 1, 2, 3, ..., and interrupted every other time. */
static unsigned int calls, given;
static int broken; /* errno */

ssize_t getrandom(void *p, size_t n, unsigned int flags)
{
	uint8_t *to = p;
	size_t i;

	(void)flags;
	errno = broken ? broken : EINTR;
	if (broken || calls++ % 2)
		return -1;
	for (i = 0; i < n && i < 10; i++)
		to[i] = (uint8_t)++given;
	return (ssize_t)i;
}

static void test_all(void **state)
{
	uint8_t bytes[65] = {0};

	(void)state;
	assert_ok(random_bytes(bytes, 64));
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(bytes[i], i + 1);
	assert_int_equal(bytes[64], 0);
	assert_int_equal(given, 64);
	broken = ENOSYS;
	assert_err(random_bytes(bytes, 64), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
