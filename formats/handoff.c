/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/handoff.h"

#include "base/bytes.h"
#include "base/util.h"
#include "formats/tlv.h"

#include <assert.h>

#define MAGIC	"DORM-OFF"
#define VERSION 1u

/* docs/image-format.md, "Handoff" */
enum record {
	REC_MODE = TLV_CRITICAL | 1,
	REC_THEN = TLV_CRITICAL | 2,
	REC_VERIFY = TLV_CRITICAL | 10,
	REC_TIME_LIMIT = TLV_CRITICAL | 18,
	REC_NONCE = TLV_CRITICAL | 3,
	REC_DEVICE_BYTES = TLV_CRITICAL | 4,
	REC_EXTENTS = TLV_CRITICAL | 5,
	REC_CODEC = TLV_CRITICAL | 6,
	REC_MAILBOX = TLV_CRITICAL | 7,
	REC_TRAMPOLINE = TLV_CRITICAL | 8,
	REC_HOST = TLV_CRITICAL | 9,
	REC_SEAL = TLV_CRITICAL | 11,
	REC_SEED = TLV_CRITICAL | 12,
	REC_IMAGE_KEY = TLV_CRITICAL | 13,
	REC_MAP = TLV_CRITICAL | 14,
	REC_AREA = TLV_CRITICAL | 15,
	REC_DEVICE_NAME = 16,
	REC_BOOT_LOG = 17,
};

#define REQUIRED                                                                                   \
	(TLV_SEEN(REC_MODE) | TLV_SEEN(REC_NONCE) | TLV_SEEN(REC_DEVICE_BYTES) |                   \
	 TLV_SEEN(REC_CODEC) | TLV_SEEN(REC_MAILBOX) | TLV_SEEN(REC_TRAMPOLINE) |                  \
	 TLV_SEEN(REC_HOST))

struct codec_disk {
	le32_t id;
	le32_t level;
	le32_t threads;
	le32_t reserved;
};

struct seal_disk {
	uint8_t public_key[HANDOFF_KEY_BYTES];
	uint8_t auth_key[HANDOFF_KEY_BYTES];
	le32_t flags;
	le32_t cipher;
};

#define SEAL_AUTHENTICATED 1u

struct extent_disk {
	le64_t start;
	le64_t length;
};

struct area_disk {
	le64_t disk_bytes;
	le64_t start;
	le64_t bytes;
	le64_t iv_offset;
	le32_t sector_bytes;
	le32_t key_bytes;
	char cipher[ENCRYPTEDAREA_CIPHER_MAX];
	uint8_t key[ENCRYPTEDAREA_KEY_MAX];
};

static_assert(sizeof(struct codec_disk) == 16, "Handoff: CODEC");
static_assert(sizeof(struct area_disk) == 232, "Handoff: AREA");
static_assert(sizeof(struct extent_disk) == 16, "Handoff: extent");
static_assert(sizeof(struct seal_disk) == 72, "Handoff: SEAL");
static_assert(HANDOFF_EXTENTS_MAX * sizeof(struct extent_disk) + HOSTINFO_MAX + HANDOFF_LOG_MAX +
			      1024 <=
		      HANDOFF_MAX,
	      "Handoff: everything fits");

static void put_extents(struct tlv_writer *w, const struct handoff *h)
{
	struct extent_disk *d = tlv_reserve(w, REC_EXTENTS, h->extent_count * sizeof(*d));

	for (uint32_t i = 0; i < h->extent_count; i++)
		d[i] = (struct extent_disk){le64_of(h->extents[i].start),
					    le64_of(h->extents[i].length)};
}

static void put_area(struct tlv_writer *w, const struct handoff *h)
{
	struct area_disk *d = tlv_reserve(w, REC_AREA, sizeof(*d));
	const struct encrypted_area *a = &h->area;

	d->disk_bytes = le64_of(h->area_disk_bytes);
	d->start = le64_of(a->start);
	d->bytes = le64_of(a->bytes);
	d->iv_offset = le64_of(a->iv_offset);
	d->sector_bytes = le32_of(a->sector_bytes);
	d->key_bytes = le32_of(a->key_bytes);
	memcpy(d->cipher, a->cipher, sizeof(d->cipher));
	memcpy(d->key, a->key, a->key_bytes);
}

static err_t get_area(const struct tlv *t, struct handoff *h)
{
	const struct area_disk *d = (const struct area_disk *)t->payload;
	struct encrypted_area *a = &h->area;

	if (t->n != sizeof(*d))
		return err_new(ERR_CORRUPT, "handoff has an encrypted area of %u bytes", t->n);
	h->area_disk_bytes = le64_get(d->disk_bytes);
	a->start = le64_get(d->start);
	a->bytes = le64_get(d->bytes);
	a->iv_offset = le64_get(d->iv_offset);
	a->sector_bytes = le32_get(d->sector_bytes);
	a->key_bytes = le32_get(d->key_bytes);
	memcpy(a->cipher, d->cipher, sizeof(a->cipher));
	memcpy(a->key, d->key, sizeof(a->key));
	if (!encrypted_area_sane(a) || a->bytes > h->area_disk_bytes ||
	    a->start > h->area_disk_bytes - a->bytes)
		return err_new(ERR_CORRUPT, "handoff has a bad encrypted area");
	return NULL;
}

/* In place, so that no copy of a secret is left anywhere. */
static void put_secrets(struct tlv_writer *w, const struct handoff *h)
{
	struct seal_disk *seal;

	if (h->has_image_key)
		tlv_put(w, REC_IMAGE_KEY, h->image_key, sizeof(h->image_key));
	if (!h->sealed)
		return;
	seal = tlv_reserve(w, REC_SEAL, sizeof(*seal));
	memcpy(seal->public_key, h->seal.public_key, sizeof(seal->public_key));
	memcpy(seal->auth_key, h->seal.auth_key, sizeof(seal->auth_key));
	seal->flags = le32_of(h->seal.authenticated ? SEAL_AUTHENTICATED : 0);
	seal->cipher = le32_of(h->seal.cipher);
	tlv_put(w, REC_SEED, h->seed, sizeof(h->seed));
}

size_t handoff_encode(const struct handoff *h, uint8_t *buf)
{
	struct codec_disk codec = {le32_of(h->codec), le32_of(h->codec_level), le32_of(h->threads),
				   le32_of(0)};
	uint8_t host[HOSTINFO_MAX];
	struct tlv_writer w;

	tlv_begin(&w, buf, HANDOFF_MAX, MAGIC, VERSION);
	tlv_put_u32(&w, REC_MODE, h->mode);
	if (h->mode == HANDOFF_HIBERNATE) {
		tlv_put_u32(&w, REC_THEN, h->then);
		tlv_put_u32(&w, REC_VERIFY, h->verify);
		tlv_put_u32(&w, REC_TIME_LIMIT, h->time_limit);
	}
	tlv_put(&w, REC_NONCE, h->nonce, sizeof(h->nonce));
	tlv_put_u64(&w, REC_DEVICE_BYTES, h->device_bytes);
	tlv_put_string(&w, REC_DEVICE_NAME, h->device_name);
	if (h->boot_log[0])
		tlv_put_string(&w, REC_BOOT_LOG, h->boot_log);
	if (h->map_place)
		tlv_put_u64(&w, REC_MAP, h->map_place);
	else
		put_extents(&w, h);
	if (h->area_disk_bytes)
		put_area(&w, h);
	tlv_put(&w, REC_CODEC, &codec, sizeof(codec));
	tlv_put_u64(&w, REC_MAILBOX, h->mailbox);
	tlv_put_u64(&w, REC_TRAMPOLINE, h->trampoline);
	tlv_put(&w, REC_HOST, host, hostinfo_encode(&h->host, host));
	put_secrets(&w, h);
	return tlv_finish(&w);
}

static err_t get_choice(const struct tlv *t, uint32_t max, uint32_t *out)
{
	uint32_t x = 0;

	TRY(tlv_get_u32(t, &x));
	if (x == 0 || x > max)
		return err_new(ERR_UNSUPPORTED, "handoff asks for unknown %u in record %#x", x,
			       t->tag);
	*out = x;
	return NULL;
}

static err_t get_codec(const struct tlv *t, struct handoff *h)
{
	struct codec_disk d = {0};

	TRY(tlv_get_bytes(t, &d, sizeof(d)));
	h->codec = le32_get(d.id);
	h->codec_level = le32_get(d.level);
	h->threads = le32_get(d.threads);
	if (!h->threads || h->threads > HANDOFF_THREADS_MAX || le32_get(d.reserved))
		return err_new(ERR_CORRUPT, "handoff asks for %u threads", h->threads);
	if (h->codec > UINT8_MAX && h->codec != HANDOFF_CODEC_AUTO)
		return err_new(ERR_UNSUPPORTED, "handoff asks for unknown codec %u", h->codec);
	return NULL;
}

static err_t get_seal(const struct tlv *t, struct handoff *h)
{
	const struct seal_disk *d = (const struct seal_disk *)t->payload;

	if (t->n != sizeof(*d))
		return err_new(ERR_CORRUPT, "handoff has a record SEAL of %u bytes", t->n);
	if (le32_get(d->flags) & ~SEAL_AUTHENTICATED)
		return err_new(ERR_UNSUPPORTED, "handoff has unknown flags of sealing: %#x",
			       le32_get(d->flags));
	memcpy(h->seal.public_key, d->public_key, sizeof(d->public_key));
	memcpy(h->seal.auth_key, d->auth_key, sizeof(d->auth_key));
	h->seal.authenticated = le32_get(d->flags) & SEAL_AUTHENTICATED;
	h->seal.cipher = le32_get(d->cipher);
	h->sealed = true;
	return NULL;
}

static err_t get_extents(const struct tlv *t, struct handoff *h)
{
	const struct extent_disk *d = (const struct extent_disk *)t->payload;
	size_t count = t->n / sizeof(*d);

	if (t->n % sizeof(*d) || count == 0 || count > HANDOFF_EXTENTS_MAX)
		return err_new(ERR_CORRUPT, "handoff has a list of %u bytes of extents", t->n);
	for (size_t i = 0; i < count; i++)
		h->extents[i] = (struct extent){le64_get(d[i].start), le64_get(d[i].length)};
	h->extent_count = (uint32_t)count;
	return NULL;
}

static err_t take_record(const struct tlv *t, void *ctx, bool *known)
{
	struct handoff *h = ctx;
	uint32_t x = 0;

	*known = true;
	switch (t->tag) {
	case REC_MODE:
		TRY(get_choice(t, HANDOFF_RESTORE, &x));
		h->mode = (enum handoff_mode)x;
		return NULL;
	case REC_THEN:
		TRY(get_choice(t, HANDOFF_RETURN, &x));
		h->then = (enum handoff_then)x;
		return NULL;
	case REC_VERIFY:
		TRY(get_choice(t, HANDOFF_VERIFY_FULL, &x));
		h->verify = (enum handoff_verify)x;
		return NULL;
	case REC_TIME_LIMIT:
		return tlv_get_u32(t, &h->time_limit);
	case REC_NONCE:
		return tlv_get_bytes(t, h->nonce, sizeof(h->nonce));
	case REC_DEVICE_BYTES:
		return tlv_get_u64(t, &h->device_bytes);
	case REC_DEVICE_NAME:
		return tlv_get_string(t, h->device_name, sizeof(h->device_name));
	case REC_BOOT_LOG:
		return tlv_get_string(t, h->boot_log, sizeof(h->boot_log));
	case REC_EXTENTS:
		return get_extents(t, h);
	case REC_MAP:
		return tlv_get_u64(t, &h->map_place);
	case REC_AREA:
		return get_area(t, h);
	case REC_CODEC:
		return get_codec(t, h);
	case REC_MAILBOX:
		return tlv_get_u64(t, &h->mailbox);
	case REC_TRAMPOLINE:
		return tlv_get_u64(t, &h->trampoline);
	case REC_HOST:
		return hostinfo_decode(t->payload, t->n, &h->host);
	case REC_SEAL:
		return get_seal(t, h);
	case REC_SEED:
		return tlv_get_bytes(t, h->seed, sizeof(h->seed));
	case REC_IMAGE_KEY:
		h->has_image_key = true;
		return tlv_get_bytes(t, h->image_key, sizeof(h->image_key));
	}
	*known = false;
	return NULL;
}

/* Whole blocks on the device, apart from each other, and room for slots and data. */
static err_t check_extents(const struct handoff *h)
{
	uint64_t total = 0;

	TRY(err_context(extent_check(h->extents, h->extent_count, h->device_bytes, ERR_CORRUPT),
			"handoff"));
	for (uint32_t i = 0; i < h->extent_count; i++)
		total += h->extents[i].length;
	if (total <= SLOT_DATA_START)
		return err_new(ERR_CORRUPT, "handoff has a target of %llu bytes",
			       (unsigned long long)total);
	return NULL;
}

/* One of the two says where the target is. */
static err_t check_target(const struct handoff *h, uint64_t seen)
{
	if (!(seen & TLV_SEEN(REC_EXTENTS)) == !(seen & TLV_SEEN(REC_MAP)))
		return err_new(ERR_CORRUPT,
			       "handoff has extents and the place of a map, or neither");
	if (!(seen & TLV_SEEN(REC_MAP)))
		return check_extents(h);
	if (!h->map_place || h->map_place % PAGE_BYTES || h->device_bytes < PAGE_BYTES ||
	    h->map_place > h->device_bytes - PAGE_BYTES)
		return err_new(ERR_CORRUPT, "handoff has a bad place of the extent map");
	return NULL;
}

/* 0 where there is none. */
static bool in_main_window(const struct handoff *h, uint64_t address)
{
	const struct range *w = &h->host.main_window;

	return address == 0 || (address >= w->start && address < w->end);
}

static err_t check(const struct handoff *h, uint64_t seen)
{
	bool hibernate = h->mode == HANDOFF_HIBERNATE;

	if ((seen & REQUIRED) != REQUIRED || (h->sealed && !hibernate) ||
	    h->sealed != !!(seen & TLV_SEEN(REC_SEED)) || (h->has_image_key && hibernate) ||
	    hibernate != !!(seen & TLV_SEEN(REC_THEN)) ||
	    hibernate != !!(seen & TLV_SEEN(REC_VERIFY)) ||
	    hibernate != !!(seen & TLV_SEEN(REC_TIME_LIMIT)))
		return err_new(ERR_CORRUPT, "handoff lacks a required record, or has one too many");
	if (h->device_bytes > INT64_MAX)
		return err_new(ERR_CORRUPT, "handoff has a device of impossible size");
	if (h->area_disk_bytes && h->area.bytes != h->device_bytes)
		return err_new(ERR_CORRUPT, "handoff has an area of another size than its device");
	TRY(check_target(h, seen));
	if (!in_main_window(h, h->mailbox) || !in_main_window(h, h->trampoline))
		return err_new(ERR_CORRUPT, "handoff has addresses outside of the main window");
	return NULL;
}

static err_t decode(const uint8_t *buf, size_t n, struct handoff *h)
{
	struct tlv_reader r;
	uint64_t seen;

	if (n > HANDOFF_MAX)
		return err_new(ERR_CORRUPT, "handoff has %zu bytes", n);
	TRY(tlv_open(&r, buf, n, MAGIC, VERSION, "handoff"));
	TRY(tlv_each(&r, take_record, h, &seen));
	return check(h, seen);
}

err_t handoff_decode(const uint8_t *buf, size_t n, struct handoff *out)
{
	struct handoff h = {0};
	err_t e = decode(buf, n, &h);

	if (!e)
		*out = h;
	explicit_bzero(&h, sizeof(h));
	return e;
}
