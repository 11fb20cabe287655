/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blocks are handed out in ascending order and finished in any; their chunks
 * come out in ascending order again. A bounded ring of chunks holds those that
 * wait for a slower one before them.
 */
#ifndef IMAGE_INORDER_H
#define IMAGE_INORDER_H

#include "base/err.h"
#include "formats/index.h"
#include "image/halt.h"

#include <stdbool.h>
#include <stdint.h>

struct inorder;

/* emit is called for each chunk that has runs, in order, by one thread at a time. */
err_t inorder_create(uint64_t blocks, struct halt *halt,
		     err_t (*emit)(void *arg, const struct chunk *chunk), void *arg,
		     struct inorder **out) ERR_CHECK;
void inorder_destroy(struct inorder *o); /* o may be NULL */

/* The next block, and where to describe it. False: there is none, or all were halted. */
bool inorder_take(struct inorder *o, uint64_t *block, struct chunk **chunk);

/* The block's chunk is complete (run_count 0: nothing to tell). Errors are emit's. */
err_t inorder_done(struct inorder *o, uint64_t block) ERR_CHECK;

/* After halt_take: whoever waits gives up. */
void inorder_wake(struct inorder *o);

#endif
