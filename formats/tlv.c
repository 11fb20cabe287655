/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/tlv.h"

#include "base/bytes.h"
#include "base/crc32c.h"

#include <assert.h>

#define ALIGN 8u

/* docs/image-format.md, "Record blocks" */
struct block_disk {
	uint8_t magic[TLV_MAGIC_BYTES];
	le32_t version;
	le32_t bytes;
};

struct record_disk {
	le32_t tag;
	le32_t length;
};

struct trailer_disk {
	le32_t reserved;
	le32_t crc32c;
};

static_assert(sizeof(struct block_disk) == 16, "Record blocks: header");
static_assert(offsetof(struct block_disk, version) == 8, "Record blocks: version");
static_assert(offsetof(struct block_disk, bytes) == 12, "Record blocks: bytes");
static_assert(sizeof(struct record_disk) == 8, "Record blocks: record");
static_assert(sizeof(struct trailer_disk) == 8, "Record blocks: trailer");
static_assert(offsetof(struct trailer_disk, crc32c) == 4, "Record blocks: checksum");

#define BLOCK_MIN (sizeof(struct block_disk) + sizeof(struct trailer_disk))

static size_t padding(size_t n)
{
	return (ALIGN - n % ALIGN) % ALIGN;
}

void tlv_begin(struct tlv_writer *w, uint8_t *buf, size_t size, const char *magic, uint32_t version)
{
	struct block_disk *h = (struct block_disk *)buf;

	assert(size >= BLOCK_MIN && strlen(magic) == TLV_MAGIC_BYTES);
	memcpy(h->magic, magic, TLV_MAGIC_BYTES);
	h->version = le32_of(version);
	*w = (struct tlv_writer){buf, size, sizeof(*h)};
}

void *tlv_reserve(struct tlv_writer *w, uint32_t tag, size_t n)
{
	struct record_disk *rec = (struct record_disk *)(w->buf + w->used);
	size_t room = w->size - w->used - sizeof(struct trailer_disk);
	uint8_t *payload = w->buf + w->used + sizeof(*rec);

	assert(room >= sizeof(*rec) && n + padding(n) <= room - sizeof(*rec));
	rec->tag = le32_of(tag);
	rec->length = le32_of((uint32_t)n);
	memset(payload, 0, n + padding(n));
	w->used += sizeof(*rec) + n + padding(n);
	return payload;
}

void tlv_put(struct tlv_writer *w, uint32_t tag, const void *payload, size_t n)
{
	void *room = tlv_reserve(w, tag, n);

	if (n)
		memcpy(room, payload, n);
}

void tlv_put_u32(struct tlv_writer *w, uint32_t tag, uint32_t x)
{
	le32_t v = le32_of(x);

	tlv_put(w, tag, &v, sizeof(v));
}

void tlv_put_u64(struct tlv_writer *w, uint32_t tag, uint64_t x)
{
	le64_t v = le64_of(x);

	tlv_put(w, tag, &v, sizeof(v));
}

void tlv_put_string(struct tlv_writer *w, uint32_t tag, const char *s)
{
	tlv_put(w, tag, s, strlen(s));
}

size_t tlv_finish(struct tlv_writer *w)
{
	struct block_disk *h = (struct block_disk *)w->buf;
	struct trailer_disk *t = (struct trailer_disk *)(w->buf + w->used);
	size_t bytes = w->used + sizeof(*t);

	h->bytes = le32_of((uint32_t)bytes);
	t->reserved = le32_of(0);
	t->crc32c = le32_of(crc32c(0, w->buf, bytes - sizeof(t->crc32c)));
	w->used = bytes;
	return bytes;
}

err_t tlv_open(struct tlv_reader *r, const uint8_t *buf, size_t n, const char *magic,
	       uint32_t version, const char *what)
{
	const struct block_disk *h = (const struct block_disk *)buf;
	const struct trailer_disk *t;

	if (n < TLV_MAGIC_BYTES || memcmp(buf, magic, TLV_MAGIC_BYTES))
		return err_new(ERR_FORMAT, "no %s here", what);
	if (n < BLOCK_MIN || n % ALIGN || le32_get(h->bytes) != n)
		return err_new(ERR_CORRUPT, "%s has the wrong length", what);
	t = (const struct trailer_disk *)(buf + n - sizeof(*t));
	if (le32_get(t->crc32c) != crc32c(0, buf, n - sizeof(t->crc32c)))
		return err_new(ERR_CORRUPT, "%s has a wrong checksum", what);
	if (le32_get(h->version) != version)
		return err_new(ERR_UNSUPPORTED, "%s is of version %u, known is %u", what,
			       le32_get(h->version), version);
	if (le32_get(t->reserved))
		return err_new(ERR_CORRUPT, "%s has a bad trailer", what);
	*r = (struct tlv_reader){buf + sizeof(*h), (const uint8_t *)t, what};
	return NULL;
}

err_t tlv_next(struct tlv_reader *r, struct tlv *out, bool *more)
{
	const struct record_disk *rec = (const struct record_disk *)r->p;
	size_t left = (size_t)(r->end - r->p);
	size_t n, room;

	*more = left > 0;
	if (!left)
		return NULL;
	if (left < sizeof(*rec))
		return err_new(ERR_CORRUPT, "%s ends within a record", r->what);
	n = le32_get(rec->length);
	room = left - sizeof(*rec);
	if (n > room || n + padding(n) > room)
		return err_new(ERR_CORRUPT, "record %#x of the %s is too long", le32_get(rec->tag),
			       r->what);
	for (size_t i = 0; i < padding(n); i++)
		if (r->p[sizeof(*rec) + n + i])
			return err_new(ERR_CORRUPT, "record %#x of the %s has bad padding",
				       le32_get(rec->tag), r->what);
	*out = (struct tlv){le32_get(rec->tag), (uint32_t)n, r->p + sizeof(*rec)};
	r->p += sizeof(*rec) + n + padding(n);
	return NULL;
}

static err_t note_record(const struct tlv_reader *r, const struct tlv *t, bool known,
			 uint64_t *seen)
{
	if (!known && t->tag & TLV_CRITICAL)
		return err_new(ERR_UNSUPPORTED, "record %#x of the %s is unknown", t->tag, r->what);
	if (!known)
		return NULL;
	if (*seen & TLV_SEEN(t->tag))
		return err_new(ERR_CORRUPT, "record %#x of the %s comes twice", t->tag, r->what);
	*seen |= TLV_SEEN(t->tag);
	return NULL;
}

err_t tlv_each(struct tlv_reader *r, tlv_take_fn take, void *ctx, uint64_t *seen)
{
	struct tlv t;
	bool more, known = false;

	*seen = 0;
	for (;;) {
		TRY(tlv_next(r, &t, &more));
		if (!more)
			return NULL;
		TRY(take(&t, ctx, &known));
		TRY(note_record(r, &t, known, seen));
	}
}

err_t tlv_get_bytes(const struct tlv *t, void *out, size_t n)
{
	if (t->n != n)
		return err_new(ERR_CORRUPT, "record %#x has %u bytes instead of %zu", t->tag, t->n,
			       n);
	memcpy(out, t->payload, n);
	return NULL;
}

err_t tlv_get_u32(const struct tlv *t, uint32_t *out)
{
	le32_t v = le32_of(0);

	TRY(tlv_get_bytes(t, &v, sizeof(v)));
	*out = le32_get(v);
	return NULL;
}

err_t tlv_get_u64(const struct tlv *t, uint64_t *out)
{
	le64_t v = le64_of(0);

	TRY(tlv_get_bytes(t, &v, sizeof(v)));
	*out = le64_get(v);
	return NULL;
}

err_t tlv_get_string(const struct tlv *t, char *out, size_t size)
{
	if (t->n >= size || memchr(t->payload, 0, t->n))
		return err_new(ERR_CORRUPT, "record %#x is no string of less than %zu bytes",
			       t->tag, size);
	memcpy(out, t->payload, t->n);
	out[t->n] = '\0';
	return NULL;
}
