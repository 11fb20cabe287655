/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of "key = value" lines, with comments from # to the end of the line. */
#ifndef CONFIG_KEYVALUE_H
#define CONFIG_KEYVALUE_H

#include "base/err.h"

#include <stddef.h>

/* Both without white space around them. */
typedef err_t (*keyvalue_fn)(void *ctx, const char *key, const char *value);

/*
 * Each line to fn, until an error. ERR_INVALID with the line's number (name is for
 * messages): no "=", too long, a NUL; fn's errors get the number and the key.
 */
err_t keyvalue_each(const char *text, size_t n, const char *name, keyvalue_fn fn, void *ctx)
	ERR_CHECK;

#endif
