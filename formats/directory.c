/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/directory.h"

#include "base/bytes.h"
#include "base/util.h"
#include "formats/index.h"

#include <assert.h>

static const char magic[8] = {'D', 'O', 'R', 'M', '-', 'D', 'I', 'R'};

/* docs/image-format.md, "Directory" */
struct directory_disk {
	uint8_t magic[8];
	uint8_t nonce[NONCE_BYTES];
	le32_t count;
	le32_t reserved;
};

struct place_disk {
	le64_t offset;
	le32_t length;
	le32_t crc32c;
	/* here the tag in a sealed image */
};

static_assert(sizeof(struct directory_disk) == 32, "Directory: header");
static_assert(offsetof(struct directory_disk, count) == 24, "Directory: count");
static_assert(sizeof(struct place_disk) == 16, "Directory: place");

static size_t place_bytes(bool sealed)
{
	return sizeof(struct place_disk) + (sealed ? DIRECTORY_TAG_BYTES : 0);
}

size_t directory_bytes(uint32_t count, bool sealed)
{
	return sizeof(struct directory_disk) + count * place_bytes(sealed);
}

void directory_encode(const struct index_place *places, uint32_t count,
		      const uint8_t nonce[NONCE_BYTES], bool sealed, uint8_t *out)
{
	struct directory_disk *h = (struct directory_disk *)out;

	assert(directory_bytes(count, sealed) <= DIRECTORY_MAX);
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, magic, sizeof(h->magic));
	memcpy(h->nonce, nonce, NONCE_BYTES);
	h->count = le32_of(count);
	out += sizeof(*h);
	for (uint32_t i = 0; i < count; i++, out += place_bytes(sealed)) {
		struct place_disk *d = (struct place_disk *)out;

		*d = (struct place_disk){le64_of(places[i].offset), le32_of(places[i].length),
					 le32_of(places[i].crc32c)};
		if (sealed)
			memcpy(d + 1, places[i].tag, DIRECTORY_TAG_BYTES);
	}
}

err_t directory_decode(const uint8_t *buf, size_t n, const uint8_t nonce[NONCE_BYTES], bool sealed,
		       uint32_t *count)
{
	const struct directory_disk *h = (const struct directory_disk *)buf;

	if (n < sizeof(*h) || n > DIRECTORY_MAX || memcmp(h->magic, magic, 8))
		return err_new(ERR_CORRUPT, "the directory is none");
	if (memcmp(h->nonce, nonce, NONCE_BYTES))
		return err_new(ERR_CORRUPT, "the directory is of another image");
	if (directory_bytes(le32_get(h->count), sealed) != n || le32_get(h->reserved))
		return err_new(ERR_CORRUPT, "the directory has a bad header");
	*count = le32_get(h->count);
	return NULL;
}

err_t directory_place(const uint8_t *buf, uint32_t i, bool sealed, uint64_t image_end,
		      struct index_place *out)
{
	const struct place_disk *d = (const struct place_disk *)(buf + directory_bytes(i, sealed));
	struct index_place place = {
		le64_get(d->offset), le32_get(d->length), le32_get(d->crc32c), {0}};

	if (place.offset % PAGE_BYTES || place.offset < SLOT_DATA_START || place.length == 0 ||
	    place.length > INDEX_SEGMENT_MAX || place.offset > image_end ||
	    align_up(place.length, PAGE_BYTES) > image_end - place.offset)
		return err_new(ERR_CORRUPT, "index segment %u has a bad place", i);
	if (sealed)
		memcpy(place.tag, d + 1, DIRECTORY_TAG_BYTES);
	*out = place;
	return NULL;
}
