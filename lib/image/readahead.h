/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An image read in units of READAHEAD_BYTES, by large requests, some of them in
 * flight ahead of those who use them. One thread, the feeder, gets units (and
 * calls aio_wait); others await and put them.
 */
#ifndef IMAGE_READAHEAD_H
#define IMAGE_READAHEAD_H

#include "base/err.h"
#include "image/aio.h"
#include "image/halt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READAHEAD_UNITS 8u
#define READAHEAD_BYTES (1u << 20)

struct readahead;
struct unit;

/* end: of the image, on a multiple of 4096. */
err_t readahead_create(struct aio *aio, struct halt *halt, uint64_t end, struct readahead **out)
	ERR_CHECK;
void readahead_destroy(struct readahead *ra); /* may be NULL; nothing may be in flight */

/*
 * The unit that holds the byte at offset, held until readahead_put; reading it
 * is begun when it is not here. NULL: all are held; one that is put wakes the
 * feeder. By the feeder only.
 */
struct unit *readahead_get(struct readahead *ra, uint64_t offset);

/* A request came back from aio_wait. By the feeder only. */
void readahead_read(struct readahead *ra, struct aio_request *req);

/*
 * Wait until a unit that is held has been read. An error of reading is given to
 * each that awaits it; ERR_ABORTED when all were halted.
 */
err_t readahead_await(struct readahead *ra, struct unit *unit) ERR_CHECK;

/* The bytes from offset on, and how many of them the unit has, at most n. */
const uint8_t *readahead_bytes(const struct unit *unit, uint64_t offset, size_t *n);

void readahead_put(struct readahead *ra, struct unit *unit);

/* Bytes read so far. */
uint64_t readahead_total(struct readahead *ra);

/* After halt_take: whoever waits gives up. */
void readahead_wake(struct readahead *ra);

#endif
