/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the unit tests share. Include it first. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* No error, or a failed test with the error's text. */
#define assert_ok(expr)                                                                            \
	do {                                                                                       \
		err_t unit_err = (expr);                                                           \
		if (unit_err)                                                                      \
			fail_msg("%s: %s", #expr, err_text(unit_err));                             \
	} while (0)

/* An error of this kind, which is freed. */
#define assert_err(expr, wanted)                                                                   \
	do {                                                                                       \
		err_t unit_err = (expr);                                                           \
		if (!unit_err)                                                                     \
			fail_msg("%s: no error, wanted %s", #expr, err_kind_name(wanted));         \
		if (err_kind(unit_err) != (wanted))                                                \
			fail_msg("%s: %s (%s), wanted %s", #expr, err_text(unit_err),              \
				 err_kind_name(err_kind(unit_err)), err_kind_name(wanted));        \
		err_free(unit_err);                                                                \
	} while (0)

/* Is it an error? It is freed. */
static inline int unit_is_err(err_t e)
{
	int is = e != NULL;

	err_free(e);
	return is;
}

/* A copy in memory of exactly n bytes, so that the sanitizer sees every read
 * behind its end. */
static inline uint8_t *unit_copy(const void *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	if (n)
		memcpy(copy, p, n);
	return copy;
}

/* A small generator for test data: the same on every run (xorshift64). */
static inline uint64_t unit_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

#endif
