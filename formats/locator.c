/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/locator.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/util.h"

#include <assert.h>

#define VERSION 1u

static const char magic[8] = {'D', 'O', 'R', 'M', '-', 'L', 'O', 'C'};
/* By which blkid knows a suspended swap area, and no kernel turns it on (swapheader.c). */
static const char signature[10] = {'L', 'I', 'N', 'H', 'I', 'B', '0', '0', '0', '1'};

static const char swap_signature[10] = {'S', 'W', 'A', 'P', 'S', 'P', 'A', 'C', 'E', '2'};

/* docs/image-format.md, "Locator" */
struct locator_disk {
	uint8_t magic[8];
	le32_t version;
	le32_t reserved;
	uint8_t nonce[NONCE_BYTES];
	le64_t map;
	uint8_t spare[458];
	le32_t crc32c;
	uint8_t signature[10];
};

static_assert(sizeof(struct locator_disk) == LOCATOR_BYTES, "Locator");
static_assert(offsetof(struct locator_disk, nonce) == 16, "Locator: nonce");
static_assert(offsetof(struct locator_disk, map) == 32, "Locator: map");
static_assert(offsetof(struct locator_disk, crc32c) == 498, "Locator: checksum");
static_assert(offsetof(struct locator_disk, signature) == 502, "Locator: signature");

void locator_encode(const struct locator *l, uint8_t out[LOCATOR_BYTES])
{
	struct locator_disk *d = (struct locator_disk *)out;

	memset(d, 0, sizeof(*d));
	memcpy(d->magic, magic, sizeof(magic));
	d->version = le32_of(VERSION);
	memcpy(d->nonce, l->nonce, NONCE_BYTES);
	d->map = le64_of(l->map);
	memcpy(d->signature, signature, sizeof(signature));
	d->crc32c = le32_of(crc32c(0, d, offsetof(struct locator_disk, crc32c)));
}

static bool spare_is_zero(const struct locator_disk *d)
{
	for (size_t i = 0; i < sizeof(d->spare); i++)
		if (d->spare[i])
			return false;
	return !le32_get(d->reserved);
}

/* Magic and signature first: without both it is none, whatever the rest holds, since
 * swapon puts back the signature alone. */
err_t locator_decode(const uint8_t in[LOCATOR_BYTES], struct locator *out)
{
	const struct locator_disk *d = (const struct locator_disk *)in;
	uint64_t map = le64_get(d->map);

	if (memcmp(d->magic, magic, sizeof(magic)) ||
	    memcmp(d->signature, signature, sizeof(signature)))
		return err_new(ERR_FORMAT, "no locator here");
	if (le32_get(d->crc32c) != crc32c(0, d, offsetof(struct locator_disk, crc32c)))
		return err_new(ERR_CORRUPT, "locator has a wrong checksum");
	if (le32_get(d->version) != VERSION)
		return err_new(ERR_UNSUPPORTED, "locator is of version %u, known is %u",
			       le32_get(d->version), VERSION);
	if (!spare_is_zero(d))
		return err_new(ERR_CORRUPT, "locator has a reserved field that is not zero");
	if (!map || map % PAGE_BYTES || map > INT64_MAX)
		return err_new(ERR_CORRUPT, "locator has a bad place of the extent map");
	memcpy(out->nonce, d->nonce, NONCE_BYTES);
	out->map = map;
	return NULL;
}

bool locator_clear(uint8_t sector[LOCATOR_BYTES])
{
	struct locator_disk *d = (struct locator_disk *)sector;

	if (memcmp(d->magic, magic, sizeof(magic)) ||
	    memcmp(d->signature, swap_signature, sizeof(swap_signature)))
		return false;
	memset(d, 0, offsetof(struct locator_disk, signature));
	return true;
}

bool locator_place_ok(uint64_t place)
{
	return place % PAGE_BYTES == LOCATOR_AT && place <= INT64_MAX;
}
