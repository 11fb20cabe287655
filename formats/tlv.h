/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blocks of tagged records: how structs that will grow are stored.
 * docs/image-format.md, "Record blocks".
 *
 * A record whose tag has TLV_CRITICAL set must be understood by whoever reads
 * it; any other unknown record is skipped. The bit is part of the tag.
 */
#ifndef FORMATS_TLV_H
#define FORMATS_TLV_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLV_MAGIC_BYTES 8u
#define TLV_CRITICAL	0x80000000u

/* A block being written into the caller's buffer. A record that does not fit
 * is a bug of the caller (assert). */
struct tlv_writer {
	uint8_t *buf;
	size_t size;
	size_t used;
};

void tlv_begin(struct tlv_writer *w, uint8_t *buf, size_t size, const char *magic,
	       uint32_t version);
void tlv_put(struct tlv_writer *w, uint32_t tag, const void *payload, size_t n);
void tlv_put_u32(struct tlv_writer *w, uint32_t tag, uint32_t x);
void tlv_put_u64(struct tlv_writer *w, uint32_t tag, uint64_t x);
void tlv_put_string(struct tlv_writer *w, uint32_t tag, const char *s); /* without its NUL */

/* Room for a payload of n bytes, zeroed, to be filled in place. */
void *tlv_reserve(struct tlv_writer *w, uint32_t tag, size_t n);

/* Seal the block; returns its length. */
size_t tlv_finish(struct tlv_writer *w);

/* A block being read: borrows the caller's bytes. */
struct tlv_reader {
	const uint8_t *p;
	const uint8_t *end;
	const char *what; /* for messages: "header" */
};

struct tlv {
	uint32_t tag;
	uint32_t n;
	const uint8_t *payload;
};

/*
 * ERR_FORMAT: another magic (or too short for one); ERR_CORRUPT: wrong length
 * or checksum; ERR_UNSUPPORTED: another version.
 */
err_t tlv_open(struct tlv_reader *r, const uint8_t *buf, size_t n, const char *magic,
	       uint32_t version, const char *what) ERR_CHECK;

/* The next record; *more = false at the end. ERR_CORRUPT when it does not fit. */
err_t tlv_next(struct tlv_reader *r, struct tlv *out, bool *more) ERR_CHECK;

/*
 * Every record to take, which says whether it knows the tag. An unknown one is
 * skipped, or ERR_UNSUPPORTED when it is critical; a known one that comes twice
 * is ERR_CORRUPT. *seen: which known ones there were, as TLV_SEEN bits.
 */
typedef err_t (*tlv_take_fn)(const struct tlv *t, void *ctx, bool *known);

err_t tlv_each(struct tlv_reader *r, tlv_take_fn take, void *ctx, uint64_t *seen) ERR_CHECK;

/* For known tags, whose numbers (without TLV_CRITICAL) are below 64 and
 * differ from each other. */
#define TLV_SEEN(tag) (1ull << ((tag)&63))

/* A record's payload as a value; ERR_CORRUPT when it has another length. A
 * string must fit into size bytes with its NUL, and hold no NUL itself. */
err_t tlv_get_u32(const struct tlv *t, uint32_t *out) ERR_CHECK;
err_t tlv_get_u64(const struct tlv *t, uint64_t *out) ERR_CHECK;
err_t tlv_get_bytes(const struct tlv *t, void *out, size_t n) ERR_CHECK;
err_t tlv_get_string(const struct tlv *t, char *out, size_t size) ERR_CHECK;

#endif
