/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stream that an image is written as, from SLOT_DATA_START on: threads
 * append pieces of any size, which are gathered in STAGING_BUFFERS buffers of
 * STAGING_BYTES; a full one goes to the target in one request. Who finds the
 * next buffer still on its way to the target waits: the back-pressure.
 */
#ifndef IMAGE_STAGING_H
#define IMAGE_STAGING_H

#include "base/err.h"
#include "image/aio.h"
#include "image/halt.h"
#include "target/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAGING_BUFFERS 4u
#define STAGING_BYTES	(1u << 20)

struct staging;

err_t staging_create(const struct target *target, struct aio *aio, struct halt *halt,
		     struct staging **out) ERR_CHECK;
void staging_destroy(struct staging *s); /* s may be NULL; nothing may be in flight */

/*
 * Append n bytes, from any thread; *offset is where they lie in the image.
 * aligned: they start at a multiple of 4096, and so does what follows; the gaps
 * are zeroed. ERR_NOSPACE when the target is full; ERR_ABORTED when all were
 * halted meanwhile.
 */
err_t staging_append(struct staging *s, const void *data, size_t n, bool aligned, uint64_t *offset)
	ERR_CHECK;

/* Nothing follows: the last buffer, padded to 4096, goes out too. *end: of the image. */
err_t staging_finish(struct staging *s, uint64_t *end) ERR_CHECK;

/* A finished request came back from aio_wait: its buffer is free again. Its
 * result is the caller's. */
void staging_written(struct staging *s, struct aio_request *req);

/* Buffers that are on their way to the target. */
unsigned int staging_in_flight(struct staging *s);

/* Bytes that reached the target; of *busy_ns (may be NULL), in which it had any
 * to take. */
uint64_t staging_bytes_written(struct staging *s, uint64_t *busy_ns);

/* After halt_take: whoever waits gives up. */
void staging_wake(struct staging *s);

#endif
