/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/keyblock.h"

#include "base/bytes.h"
#include "base/crc32c.h"

#include <assert.h>

#define VERSION 1u

static const char magic[8] = {'D', 'O', 'R', 'M', '-', 'K', 'E', 'Y'};

/* docs/image-format.md, "Sealed key" */
struct keyblock_disk {
	uint8_t magic[8];
	le32_t version;
	le32_t reserved;
	uint8_t nonce[KEYBLOCK_NONCE_BYTES];
	uint8_t ephemeral[32];
	uint8_t recipient[32];
	uint8_t sealed[32];
	uint8_t tag[16];
	uint8_t spare[3948];
	le32_t crc32c;
};

static_assert(sizeof(struct keyblock_disk) == KEYBLOCK_BYTES, "Sealed key");
static_assert(offsetof(struct keyblock_disk, nonce) == 16, "Sealed key: nonce");
static_assert(offsetof(struct keyblock_disk, ephemeral) == 32, "Sealed key: ephemeral");
static_assert(offsetof(struct keyblock_disk, recipient) == 64, "Sealed key: recipient");
static_assert(offsetof(struct keyblock_disk, sealed) == 96, "Sealed key: sealed");
static_assert(offsetof(struct keyblock_disk, tag) == 128, "Sealed key: tag");
static_assert(offsetof(struct keyblock_disk, crc32c) == 4092, "Sealed key: checksum");

void keyblock_encode(const struct keyblock *k, uint8_t out[KEYBLOCK_BYTES])
{
	struct keyblock_disk *d = (struct keyblock_disk *)out;

	memset(d, 0, sizeof(*d));
	memcpy(d->magic, magic, sizeof(magic));
	d->version = le32_of(VERSION);
	memcpy(d->nonce, k->nonce, sizeof(d->nonce));
	memcpy(d->ephemeral, k->ephemeral, sizeof(d->ephemeral));
	memcpy(d->recipient, k->recipient, sizeof(d->recipient));
	memcpy(d->sealed, k->sealed, sizeof(d->sealed));
	memcpy(d->tag, k->tag, sizeof(d->tag));
	d->crc32c = le32_of(crc32c(0, d, offsetof(struct keyblock_disk, crc32c)));
}

bool keyblock_is_left(const uint8_t in[KEYBLOCK_BYTES], const uint8_t nonce[KEYBLOCK_NONCE_BYTES])
{
	const struct keyblock_disk *d = (const struct keyblock_disk *)in;

	return !memcmp(d->magic, magic, sizeof(magic)) &&
	       !memcmp(d->nonce, nonce, sizeof(d->nonce));
}

static err_t check_reserved(const struct keyblock_disk *d)
{
	uint8_t all = 0;

	for (size_t i = 0; i < sizeof(d->spare); i++)
		all |= d->spare[i];
	if (all || le32_get(d->reserved))
		return err_new(ERR_CORRUPT, "sealed key has a reserved field that is not zero");
	return NULL;
}

err_t keyblock_decode(const uint8_t in[KEYBLOCK_BYTES], struct keyblock *out)
{
	const struct keyblock_disk *d = (const struct keyblock_disk *)in;

	if (memcmp(d->magic, magic, sizeof(magic)))
		return err_new(ERR_FORMAT, "no sealed key here");
	if (le32_get(d->crc32c) != crc32c(0, d, offsetof(struct keyblock_disk, crc32c)))
		return err_new(ERR_CORRUPT, "sealed key has a wrong checksum");
	if (le32_get(d->version) != VERSION)
		return err_new(ERR_UNSUPPORTED, "sealed key is of version %u, known is %u",
			       le32_get(d->version), VERSION);
	TRY(check_reserved(d));
	memcpy(out->nonce, d->nonce, sizeof(out->nonce));
	memcpy(out->ephemeral, d->ephemeral, sizeof(out->ephemeral));
	memcpy(out->recipient, d->recipient, sizeof(out->recipient));
	memcpy(out->sealed, d->sealed, sizeof(out->sealed));
	memcpy(out->tag, d->tag, sizeof(out->tag));
	return NULL;
}
