/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/slot.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/util.h"
#include "formats/directory.h"
#include "formats/hostinfo.h"
#include "formats/region.h"

#include <assert.h>

static const char magic[8] = {'D', 'O', 'R', 'M', 'O', 'U', 'S', 'E'};

/* Bits of features_compat that this version knows. */
#define COMPAT_KNOWN 0u

/* docs/image-format.md, "Sealing" */
struct sealing_disk {
	le32_t cipher;
	le32_t flags;
	struct region_disk key;
	struct region_disk keyslots;
	uint8_t header_sha256[SLOT_DIGEST_BYTES];
	uint8_t directory_sha256[SLOT_DIGEST_BYTES];
	uint8_t reserved[12];
};

static_assert(sizeof(struct sealing_disk) == 116, "Sealing");
static_assert(offsetof(struct sealing_disk, key) == 8, "Sealing: key");
static_assert(offsetof(struct sealing_disk, keyslots) == 24, "Sealing: keyslots");
static_assert(offsetof(struct sealing_disk, header_sha256) == 40, "Sealing: header");
static_assert(offsetof(struct sealing_disk, directory_sha256) == 72, "Sealing: directory");
static_assert(offsetof(struct sealing_disk, reserved) == 104, "Sealing: reserved");

/* docs/image-format.md, "Superblock" */
struct slot_disk {
	uint8_t magic[8];
	le32_t version;
	le32_t state;
	le64_t generation;
	uint8_t nonce[NONCE_BYTES];
	le64_t created;
	le32_t features_compat;
	le32_t features_incompat;
	struct region_disk header;
	struct region_disk directory;
	le64_t image_end;
	le64_t data_pages;
	le64_t zero_pages;
	le64_t fill_pages;
	le64_t raw_bytes;
	le64_t stored_bytes;
	le32_t failed_resumes;
	struct sealing_disk sealing;
	char reason[SLOT_REASON_MAX];
	uint8_t spare[3544];
	uint8_t tag[SLOT_TAG_BYTES];
	le32_t tag_reserved;
	le32_t crc32c;
};

static_assert(sizeof(struct slot_disk) == SLOT_BYTES, "Superblock");
static_assert(offsetof(struct slot_disk, version) == 8, "Superblock: version");
static_assert(offsetof(struct slot_disk, generation) == 16, "Superblock: generation");
static_assert(offsetof(struct slot_disk, nonce) == 24, "Superblock: nonce");
static_assert(offsetof(struct slot_disk, features_compat) == 48, "Superblock: features");
static_assert(offsetof(struct slot_disk, header) == 56, "Superblock: header");
static_assert(offsetof(struct slot_disk, directory) == 72, "Superblock: directory");
static_assert(offsetof(struct slot_disk, image_end) == 88, "Superblock: image_end");
static_assert(offsetof(struct slot_disk, failed_resumes) == 136, "Superblock: failed_resumes");
static_assert(offsetof(struct slot_disk, sealing) == 140, "Superblock: sealing");
static_assert(offsetof(struct slot_disk, reason) == 256, "Superblock: reason");
static_assert(offsetof(struct slot_disk, spare) == 512, "Superblock: spare");
static_assert(offsetof(struct slot_disk, tag) == 4056, "Superblock: tag");
static_assert(offsetof(struct slot_disk, crc32c) == 4092, "Superblock: checksum");

bool slot_is_sealed(const struct slot *slot)
{
	return slot->features_incompat & SLOT_INCOMPAT_SEALED;
}

static struct sealing_disk sealing_encode(const struct slot_sealing *s)
{
	struct sealing_disk d = {
		.cipher = le32_of(s->cipher),
		.flags = le32_of(s->flags),
		.key = region_encode(&s->key),
		.keyslots = region_encode(&s->keyslots),
	};

	memcpy(d.header_sha256, s->header_sha256, SLOT_DIGEST_BYTES);
	memcpy(d.directory_sha256, s->directory_sha256, SLOT_DIGEST_BYTES);
	return d;
}

static struct slot_sealing sealing_decode(const struct sealing_disk *d)
{
	struct slot_sealing s = {
		.cipher = le32_get(d->cipher),
		.flags = le32_get(d->flags),
		.key = region_decode(&d->key),
		.keyslots = region_decode(&d->keyslots),
	};

	memcpy(s.header_sha256, d->header_sha256, SLOT_DIGEST_BYTES);
	memcpy(s.directory_sha256, d->directory_sha256, SLOT_DIGEST_BYTES);
	return s;
}

void slot_encode(const struct slot *slot, uint8_t out[SLOT_BYTES])
{
	struct slot_disk *d = (struct slot_disk *)out;

	memset(d, 0, sizeof(*d));
	memcpy(d->magic, magic, sizeof(magic));
	d->version = le32_of(SLOT_VERSION);
	d->state = le32_of(slot->state);
	d->generation = le64_of(slot->generation);
	memcpy(d->nonce, slot->nonce, NONCE_BYTES);
	d->created = le64_of(slot->created);
	/* What an unknown bit stands for is in spare, and lost with it. */
	d->features_compat = le32_of(slot->features_compat & COMPAT_KNOWN);
	d->features_incompat = le32_of(slot->features_incompat);
	d->header = region_encode(&slot->header);
	d->directory = region_encode(&slot->directory);
	d->image_end = le64_of(slot->image_end);
	d->data_pages = le64_of(slot->data_pages);
	d->zero_pages = le64_of(slot->zero_pages);
	d->fill_pages = le64_of(slot->fill_pages);
	d->raw_bytes = le64_of(slot->raw_bytes);
	d->stored_bytes = le64_of(slot->stored_bytes);
	d->failed_resumes = le32_of(slot->failed_resumes);
	memcpy(d->reason, slot->reason, strnlen(slot->reason, SLOT_REASON_MAX - 1));
	if (slot_is_sealed(slot)) {
		d->sealing = sealing_encode(&slot->sealing);
		memcpy(d->tag, slot->tag, sizeof(d->tag));
	}
	d->crc32c = le32_of(crc32c(0, d, offsetof(struct slot_disk, crc32c)));
}

void slot_tagged(const struct slot *slot, uint8_t out[SLOT_TAGGED_BYTES])
{
	static_assert(offsetof(struct slot_disk, reason) == SLOT_TAGGED_BYTES, "Sealing: tag");
	uint8_t encoded[SLOT_BYTES];
	struct slot fixed = *slot;

	fixed.state = SLOT_EMPTY;
	fixed.generation = 0;
	fixed.features_compat = 0;
	fixed.failed_resumes = 0;
	slot_encode(&fixed, encoded);
	memcpy(out, encoded, SLOT_TAGGED_BYTES);
}

static bool is_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		if (b[i])
			return false;
	return true;
}

/* "Versions": what this reader can make sense of. */
static err_t check_features(const struct slot_disk *d)
{
	uint32_t unknown = le32_get(d->features_incompat) & ~SLOT_INCOMPAT_KNOWN;

	if (le32_get(d->version) != SLOT_VERSION)
		return err_new(ERR_UNSUPPORTED, "superblock is of version %u, known is %u",
			       le32_get(d->version), SLOT_VERSION);
	if (unknown)
		return err_new(ERR_UNSUPPORTED, "superblock needs unknown features %#x", unknown);
	return NULL;
}

/* Fields that no feature in use gives a meaning must be zero. */
static err_t check_reserved(const struct slot_disk *d)
{
	bool compat_unknown = le32_get(d->features_compat) & ~COMPAT_KNOWN;
	bool sealed = le32_get(d->features_incompat) & SLOT_INCOMPAT_SEALED;

	if ((!sealed &&
	     (!is_zero(&d->sealing, sizeof(d->sealing)) || !is_zero(d->tag, sizeof(d->tag)))) ||
	    !is_zero(d->sealing.reserved, sizeof(d->sealing.reserved)) || le32_get(d->tag_reserved))
		return err_new(ERR_CORRUPT, "superblock has a reserved field that is not zero");
	if (!compat_unknown && !is_zero(d->spare, sizeof(d->spare)))
		return err_new(ERR_CORRUPT, "superblock has a spare field that is not zero");
	return NULL;
}

static bool region_ok(const struct slot_region *r, uint64_t image_end, uint32_t max)
{
	return r->length > 0 && r->length <= max && r->offset % PAGE_BYTES == 0 &&
	       r->offset >= SLOT_DATA_START && r->offset <= image_end &&
	       align_up(r->length, PAGE_BYTES) <= image_end - r->offset;
}

static bool regions_overlap(const struct slot_region *a, const struct slot_region *b)
{
	return a->offset < b->offset + align_up(b->length, PAGE_BYTES) &&
	       b->offset < a->offset + align_up(a->length, PAGE_BYTES);
}

/* Header, directory, and what a sealed image has besides. */
static err_t check_overlaps(const struct slot *s)
{
	const struct slot_region *all[] = {&s->header, &s->directory, &s->sealing.key,
					   &s->sealing.keyslots};
	size_t n = slot_is_sealed(s) ? ARRAY_LEN(all) : 2;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (regions_overlap(all[i], all[j]))
				return err_new(ERR_CORRUPT, "parts of the image overlap");
	return NULL;
}

static err_t check_sealing(const struct slot *s)
{
	const struct slot_sealing *e = &s->sealing;
	uint32_t unknown = e->flags & ~SLOT_SEALED_AUTHENTICATED;

	if (!slot_is_sealed(s))
		return NULL;
	if (unknown)
		return err_new(ERR_UNSUPPORTED, "superblock has unknown flags of sealing: %#x",
			       unknown);
	if (e->key.length != SLOT_KEY_BYTES || !region_ok(&e->key, s->image_end, SLOT_KEY_BYTES))
		return err_new(ERR_CORRUPT, "superblock has a bad place of the sealed key");
	if ((e->keyslots.length || e->keyslots.offset || e->keyslots.crc32c) &&
	    !region_ok(&e->keyslots, s->image_end, SLOT_KEYSLOTS_MAX))
		return err_new(ERR_CORRUPT, "superblock has a bad place of the keyslots");
	return NULL;
}

/* Where everything lies; has a meaning only for an image that is whole. */
static err_t check_places(const struct slot *s)
{
	if (s->image_end % PAGE_BYTES || s->image_end > INT64_MAX)
		return err_new(ERR_CORRUPT, "superblock has a bad end of the image");
	if (!region_ok(&s->header, s->image_end, HOSTINFO_MAX))
		return err_new(ERR_CORRUPT, "superblock has a bad place of the header");
	if (!region_ok(&s->directory, s->image_end, DIRECTORY_MAX))
		return err_new(ERR_CORRUPT, "superblock has a bad place of the directory");
	TRY(check_sealing(s));
	TRY(check_overlaps(s));
	if (s->data_pages > INT64_MAX / PAGE_BYTES || s->raw_bytes != s->data_pages * PAGE_BYTES ||
	    s->stored_bytes > s->raw_bytes)
		return err_new(ERR_CORRUPT, "superblock has bad page or byte counts");
	return NULL;
}

static void slot_read(const struct slot_disk *d, struct slot *s)
{
	*s = (struct slot){
		.state = (enum slot_state)le32_get(d->state),
		.generation = le64_get(d->generation),
		.created = le64_get(d->created),
		.features_compat = le32_get(d->features_compat),
		.features_incompat = le32_get(d->features_incompat),
		.header = region_decode(&d->header),
		.directory = region_decode(&d->directory),
		.image_end = le64_get(d->image_end),
		.data_pages = le64_get(d->data_pages),
		.zero_pages = le64_get(d->zero_pages),
		.fill_pages = le64_get(d->fill_pages),
		.raw_bytes = le64_get(d->raw_bytes),
		.stored_bytes = le64_get(d->stored_bytes),
		.failed_resumes = le32_get(d->failed_resumes),
	};
	memcpy(s->nonce, d->nonce, NONCE_BYTES);
	memcpy(s->reason, d->reason, SLOT_REASON_MAX);
	s->sealing = sealing_decode(&d->sealing);
	memcpy(s->tag, d->tag, sizeof(s->tag));
}

/*
 * In this order: is it ours, is it whole, can we read it, does it make sense.
 * The checksum comes before the version, so that a flipped bit in the version
 * is damage and not a newer image; its place is the same in all versions.
 */
err_t slot_decode(const uint8_t in[SLOT_BYTES], struct slot *out)
{
	const struct slot_disk *d = (const struct slot_disk *)in;
	struct slot s;

	if (memcmp(d->magic, magic, sizeof(magic)))
		return err_new(ERR_FORMAT, "no superblock here");
	if (le32_get(d->crc32c) != crc32c(0, d, offsetof(struct slot_disk, crc32c)))
		return err_new(ERR_CORRUPT, "superblock has a wrong checksum");
	TRY(check_features(d));
	TRY(check_reserved(d));
	if (le32_get(d->state) > SLOT_RETIRED)
		return err_new(ERR_CORRUPT, "superblock has unknown state %u", le32_get(d->state));
	if ((le32_get(d->features_incompat) & SLOT_INCOMPAT_MARKED) == SLOT_INCOMPAT_MARKED)
		return err_new(ERR_CORRUPT, "superblock is of two kinds of targets at once");
	if (d->reason[SLOT_REASON_MAX - 1])
		return err_new(ERR_CORRUPT, "superblock has a reason without end");
	slot_read(d, &s);
	if (slot_holds_image(&s))
		TRY(check_places(&s));
	*out = s;
	return NULL;
}

const uint8_t *slot_nonce(const uint8_t in[SLOT_BYTES])
{
	return ((const struct slot_disk *)in)->nonce;
}

bool slot_holds_image(const struct slot *slot)
{
	return slot->state == SLOT_VALID || slot->state == SLOT_RESUMING;
}

const char *slot_state_name(enum slot_state state)
{
	static const char *const names[] = {
		[SLOT_EMPTY] = "empty",	      [SLOT_WRITING] = "writing", [SLOT_VALID] = "valid",
		[SLOT_RESUMING] = "resuming", [SLOT_RETIRED] = "retired",
	};

	return (unsigned)state < ARRAY_LEN(names) ? names[state] : "unknown";
}
