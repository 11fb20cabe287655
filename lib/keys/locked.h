/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory for secrets: never swapped out, in no core dump, not handed to child
 * processes, wiped when it is given back.
 */
#ifndef KEYS_LOCKED_H
#define KEYS_LOCKED_H

#include "base/err.h"

#include <stddef.h>

/* n zeroed bytes. ERR_NOMEM, or why they cannot be locked (RLIMIT_MEMLOCK). */
err_t locked_create(size_t n, void **out) ERR_CHECK;

/* With the n of locked_create. p may be NULL. */
void locked_destroy(void *p, size_t n);

#endif
