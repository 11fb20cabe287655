/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/sealing.h"

#include "base/bytes.h"
#include "base/util.h"
#include "keys/digest.h"
#include "keys/random.h"

#include <assert.h>
#include <string.h>

/* docs/image-format.md, "Sealing": nonces and associated data */
struct nonce_disk {
	le32_t domain;
	le64_t number;
};

struct part_aad {
	uint8_t nonce[NONCE_BYTES];
	le32_t domain;
	le32_t bytes;
	le64_t number;
};

struct chunk_aad {
	uint8_t nonce[NONCE_BYTES];
	le32_t domain;
	le32_t stored;
	le64_t first_pfn;
	uint8_t codec;
	uint8_t reserved;
	le16_t data_pages;
};

static_assert(sizeof(struct nonce_disk) == CIPHER_NONCE_BYTES, "Sealing: nonce");
static_assert(sizeof(struct part_aad) == 32, "Sealing: associated data of a part");
static_assert(sizeof(struct chunk_aad) == 36, "Sealing: associated data of a chunk");

err_t sealing_make(struct image_seal *s, const struct cipher *cipher,
		   const struct seal_recipient *to, const uint8_t nonce[NONCE_BYTES])
{
	uint8_t key[IMAGE_KEY_BYTES];
	err_t e = random_bytes(key, sizeof(key));

	memset(s, 0, sizeof(*s));
	s->cipher = cipher;
	s->authenticated = to->authenticated;
	if (!e)
		e = imagekeys_derive(key, nonce, &s->keys);
	if (!e)
		e = seal_key(to, nonce, key, s->block);
	explicit_bzero(key, sizeof(key));
	return e;
}

err_t sealing_open(struct sealer *s, uint32_t cipher, const uint8_t nonce[NONCE_BYTES],
		   const struct image_keys *keys)
{
	*s = (struct sealer){.cipher = cipher <= UINT8_MAX ? cipher_by_id((uint8_t)cipher) : NULL};
	if (!s->cipher)
		return err_new(ERR_UNSUPPORTED, "the image is encrypted with unknown cipher %u",
			       cipher);
	memcpy(s->nonce, nonce, sizeof(s->nonce));
	return s->cipher->create(keys->data, &s->key);
}

void sealing_close(struct sealer *s)
{
	if (s->cipher)
		s->cipher->destroy(s->key);
	s->key = NULL;
}

static struct nonce_disk nonce_of(enum sealing_domain domain, uint64_t number)
{
	return (struct nonce_disk){le32_of(domain), le64_of(number)};
}

static struct part_aad part_aad(const struct sealer *s, enum sealing_domain domain, uint64_t number,
				size_t n)
{
	struct part_aad a = {.domain = le32_of(domain),
			     .bytes = le32_of((uint32_t)n),
			     .number = le64_of(number)};

	memcpy(a.nonce, s->nonce, sizeof(a.nonce));
	return a;
}

err_t sealing_encrypt(struct sealer *s, enum sealing_domain domain, uint64_t number, void *p,
		      size_t n, uint8_t tag[CIPHER_TAG_BYTES])
{
	struct nonce_disk nonce = nonce_of(domain, number);
	struct part_aad a = part_aad(s, domain, number, n);
	struct cipher_aad aad = {&a, sizeof(a)};

	return s->cipher->seal(s->key, (const uint8_t *)&nonce, &aad, p, n, p, tag);
}

err_t sealing_decrypt(struct sealer *s, enum sealing_domain domain, uint64_t number, void *p,
		      size_t n, const uint8_t tag[CIPHER_TAG_BYTES])
{
	struct nonce_disk nonce = nonce_of(domain, number);
	struct part_aad a = part_aad(s, domain, number, n);
	struct cipher_aad aad = {&a, sizeof(a)};

	return s->cipher->open(s->key, (const uint8_t *)&nonce, &aad, p, n, p, tag);
}

static struct chunk_aad chunk_aad(const struct sealer *s, const struct chunk *c)
{
	struct chunk_aad a = {
		.domain = le32_of(SEALING_CHUNK),
		.stored = le32_of(c->stored),
		.first_pfn = le64_of(c->first_pfn),
		.codec = c->codec,
		.data_pages = le16_of(c->data_pages),
	};

	memcpy(a.nonce, s->nonce, sizeof(a.nonce));
	return a;
}

err_t sealing_encrypt_chunk(struct sealer *s, struct chunk *c, const uint8_t *in, uint8_t *out)
{
	struct nonce_disk nonce = nonce_of(SEALING_CHUNK, c->first_pfn / CHUNK_PAGES);
	struct chunk_aad a = chunk_aad(s, c);
	struct cipher_aad aad = {&a, sizeof(a)};

	return s->cipher->seal(s->key, (const uint8_t *)&nonce, &aad, in, c->stored, out, c->tag);
}

err_t sealing_decrypt_chunk(struct sealer *s, const struct chunk *c, const uint8_t *in,
			    uint8_t *out)
{
	struct nonce_disk nonce = nonce_of(SEALING_CHUNK, c->first_pfn / CHUNK_PAGES);
	struct chunk_aad a = chunk_aad(s, c);
	struct cipher_aad aad = {&a, sizeof(a)};

	return s->cipher->open(s->key, (const uint8_t *)&nonce, &aad, in, c->stored, out, c->tag);
}

static err_t make_tag(const struct image_keys *keys, const struct slot *slot,
		      uint8_t tag[SLOT_TAG_BYTES])
{
	static_assert(SLOT_TAG_BYTES == DIGEST_BYTES, "Sealing: tag");
	uint8_t tagged[SLOT_TAGGED_BYTES];

	slot_tagged(slot, tagged);
	return digest_hmac(keys->tag, tagged, sizeof(tagged), tag);
}

err_t sealing_tag(const struct image_keys *keys, struct slot *slot)
{
	return make_tag(keys, slot, slot->tag);
}

/* How many bytes are right is nobody's business: no early end. */
static bool same(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint8_t differs = 0;

	for (size_t i = 0; i < n; i++)
		differs |= a[i] ^ b[i];
	return !differs;
}

err_t sealing_check_tag(const struct image_keys *keys, const struct slot *slot)
{
	uint8_t tag[SLOT_TAG_BYTES];

	if (!keys)
		return NULL;
	if (!slot_is_sealed(slot))
		return err_new(ERR_AUTH, "the image is not sealed, and should be");
	TRY(make_tag(keys, slot, tag));
	if (!same(tag, slot->tag, sizeof(tag)))
		return err_new(ERR_AUTH, "the superblock was not made with the image's key");
	return NULL;
}

err_t sealing_check_digest(const void *p, size_t n, const uint8_t sha256[SLOT_DIGEST_BYTES],
			   const char *what)
{
	uint8_t found[DIGEST_BYTES];

	TRY(digest_sha256(p, n, found));
	if (memcmp(found, sha256, sizeof(found)))
		return err_new(ERR_AUTH, "%s is not the one that the superblock names", what);
	return NULL;
}

err_t sealing_need_keys(const struct image_keys *keys, const struct slot *slot)
{
	if (slot_is_sealed(slot) && !keys)
		return err_new(ERR_AUTH, "the image is sealed, and there is no key for it");
	return NULL;
}
