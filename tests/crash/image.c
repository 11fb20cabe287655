/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image.h"

#include "base/util.h"
#include "fakemem.h"
#include "image/reader.h"
#include "image/writer.h"
#include "keys/imagekeys.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS	  3u
#define FIRST_PFN 0x12300u

void image_nonce(unsigned int number, uint8_t out[NONCE_BYTES])
{
	memset(out, 0, NONCE_BYTES);
	snprintf((char *)out, NONCE_BYTES, "image %u", number);
}

unsigned int image_number(const uint8_t nonce[NONCE_BYTES])
{
	uint8_t other[NONCE_BYTES];
	unsigned int i;

	for (i = 0; i < IMAGES_MAX; i++) {
		image_nonce(i, other);
		if (!memcmp(nonce, other, NONCE_BYTES))
			break;
	}
	return i;
}

/* Some pages of each block are saved: random ones, text, zeros, filled ones. */
static void make_memory(unsigned int number, struct fakemem *f)
{
	static const enum fake_content kinds[] = {FAKE_RANDOM, FAKE_TEXT, FAKE_RANDOM, FAKE_ZERO,
						  FAKE_WORDS,  FAKE_TEXT, FAKE_ALMOST};
	uint64_t seed = 88172645463325252ull + number * 2654435761u;

	fake_init(f, BLOCKS, FIRST_PFN);
	for (unsigned int i = 0; i < BLOCKS * CHUNK_PAGES; i++)
		if (f->kind[i] == FAKE_RAM && i % 13 < 2) {
			f->classes[i] = PAGE_SAVE;
			fake_page(f->mem + i * PAGE_BYTES, kinds[i % ARRAY_LEN(kinds)], &seed);
		}
}

static struct codec_choice codec_of(unsigned int number)
{
	struct codec_choice c;
	err_t e = codec_choice_parse(number % 4 == 3 ? "lzo" : "none", &c);

	assert(!e);
	return c;
}

bool image_is_sealed(unsigned int number)
{
	return number % 3 == 1;
}

/* The key is known, as everything here is the same each time; whom it is sealed to does
 * not matter. */
static void make_seal(unsigned int number, struct image_seal *seal)
{
	struct keyblock k = {{0}, {1}, {2}, {3}, {4}};
	uint8_t key[IMAGE_KEY_BYTES] = {(uint8_t)(number + 1)};
	err_t e;

	image_nonce(number, k.nonce);
	*seal = (struct image_seal){.cipher = &cipher_aes_256_gcm};
	keyblock_encode(&k, seal->block);
	e = imagekeys_derive(key, k.nonce, &seal->keys);
	assert(!e);
}

/* What the tag is over. */
static void begin_slot(const struct slot *begun, struct slot *slot)
{
	memcpy(slot->nonce, begun->nonce, NONCE_BYTES);
	slot->created = begun->created;
	slot->features_incompat = begun->features_incompat;
}

err_t image_again(unsigned int number, const struct slot *begun, struct slot *slot)
{
	struct image_seal seal;

	begin_slot(begun, slot);
	if (!image_is_sealed(number))
		return NULL;
	slot->features_incompat |= SLOT_INCOMPAT_SEALED;
	make_seal(number, &seal);
	return sealing_tag(&seal.keys, slot);
}

err_t image_write(const struct target *t, unsigned int number, const struct slot *begun,
		  struct slot *slot)
{
	struct image_writer_options o = {.threads = 1, .codec = codec_of(number)};
	struct image_seal seal;
	struct image_writer *w = NULL;
	struct memory_source source;
	struct hostinfo host;
	struct fakemem mem;
	uint8_t *header = malloc(HOSTINFO_MAX);
	err_t e;

	assert(header);
	make_memory(number, &mem);
	source = fake_source(&mem);
	host = fake_host(&mem, FREE_FILL_NONE);
	image_nonce(number, o.nonce);
	*slot = (struct slot){0};
	begin_slot(begun, slot);
	make_seal(number, &seal);
	o.seal = image_is_sealed(number) ? &seal : NULL;
	e = image_writer_create(&o, t, &w);
	if (!e)
		e = image_writer_run(w, &source, header, hostinfo_encode(&host, header), slot);
	image_writer_destroy(w);
	free(header);
	fake_deinit(&mem);
	return e;
}

static err_t compare(const struct fakemem *want, const struct fakemem *got)
{
	for (uint64_t i = 0; i < BLOCKS * CHUNK_PAGES; i++)
		if (want->classes[i] == PAGE_SAVE &&
		    memcmp(want->mem + i * PAGE_BYTES, got->mem + i * PAGE_BYTES, PAGE_BYTES))
			return err_new(ERR_INVALID, "page %llu came back with other content",
				       (unsigned long long)i);
	return NULL;
}

static err_t restore(const struct target *t, const struct slot *slot, const struct image_keys *keys,
		     const struct hostinfo *host, struct fakemem *mem)
{
	struct image_reader_options o = {.threads = 1, .keys = keys};
	struct memory_sink sink = fake_sink(mem);

	TRY(image_verify(t, slot, host, &o));
	return image_restore(t, slot, host, &sink, &o);
}

static err_t check_key(const struct target *t, const struct slot *slot)
{
	uint8_t block[KEYBLOCK_BYTES];
	struct keyblock k;

	TRY(image_read_sealed_key(t, slot, block));
	return keyblock_decode(block, &k);
}

err_t image_check(const struct target *t, const struct slot *slot)
{
	unsigned int number = image_number(slot->nonce);
	const struct image_keys *keys = NULL;
	struct image_seal seal;
	struct fakemem want, got;
	struct hostinfo host, said;
	err_t e;

	if (number == IMAGES_MAX)
		return err_new(ERR_INVALID, "an image that nobody made");
	if (image_is_sealed(number)) {
		make_seal(number, &seal);
		keys = &seal.keys;
		TRY(check_key(t, slot));
	}
	TRY(image_read_header(t, slot, keys, &said));
	TRY(image_check_index(t, slot, keys, &said));
	make_memory(number, &want);
	host = fake_host(&want, FREE_FILL_NONE);
	fake_init(&got, BLOCKS, FIRST_PFN);
	e = restore(t, slot, keys, &said, &got);
	if (!e && memcmp(&said, &host, sizeof(host)))
		e = err_new(ERR_INVALID, "the header tells of another host");
	if (!e)
		e = compare(&want, &got);
	fake_deinit(&got);
	fake_deinit(&want);
	return e;
}
