/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nonces and associated data of docs/image-format.md, "Sealing". Faults planted, each found:
 * a nonce without its number, with a part of it, or without its domain; a field left out of
 * the associated data, or all of it; the data encrypted, or the superblock's tag made, with
 * the other key; tag or digests compared in part; a sealed image read without keys; the
 * image key not wiped.
 */
#include "unit.h"

#include "base/util.h"
#include "image/sealing.h"
#include "keys/digest.h"
#include "wiped.h"

#define BYTES 32u /* so many zeros: what they become is the keystream of their nonce */

static const uint8_t nonce[NONCE_BYTES] = "nonce of a test";
static const struct image_keys keys = {{1, 2, 3}, {4, 5, 6}};

static void open_both(struct sealer *s)
{
	assert_ok(sealing_open(&s[0], CIPHER_AES_256_GCM, nonce, &keys));
	assert_ok(sealing_open(&s[1], CIPHER_CHACHA20_POLY1305, nonce, &keys));
}

static void close_both(struct sealer *s)
{
	sealing_close(&s[0]);
	sealing_close(&s[1]);
}

static struct chunk sample(uint64_t block)
{
	return (struct chunk){
		.first_pfn = block * CHUNK_PAGES, .stored = BYTES, .codec = 2, .data_pages = 3};
}

/* The same by the library alone: nonce and associated data written down once more. */
static void assert_documented(const uint8_t *sealed, const uint8_t *tag, const uint8_t nonce12[12],
			      const uint8_t *aad, size_t aad_bytes)
{
	const struct cipher_aad a = {aad, aad_bytes};
	const uint8_t zero[BYTES] = {0};
	struct cipher_key *k;
	uint8_t out[BYTES];

	assert_ok(cipher_aes_256_gcm.create(keys.data, &k));
	assert_ok(cipher_aes_256_gcm.open(k, nonce12, &a, sealed, BYTES, out, tag));
	assert_memory_equal(out, zero, BYTES);
	cipher_aes_256_gcm.destroy(k);
}

static void test_as_documented(void **state)
{
	static const uint8_t chunk_nonce[12] = {1, 0, 0, 0, 5, 1}, part_nonce[12] = {2, 0, 0, 0, 7};
	uint8_t chunk_aad[36], part_aad[32], out[BYTES] = {0}, tag[CIPHER_TAG_BYTES];
	struct chunk chunk = sample(0x105);
	struct sealer s[2];

	(void)state;
	open_both(s);
	memcpy(chunk_aad, nonce, 16);
	memcpy(chunk_aad + 16, "\1\0\0\0\x20\0\0\0\x80\x82\0\0\0\0\0\0\2\0\3\0", 20);
	assert_ok(sealing_encrypt_chunk(&s[0], &chunk, out, out));
	assert_documented(out, chunk.tag, chunk_nonce, chunk_aad, sizeof(chunk_aad));
	memcpy(part_aad, nonce, 16);
	memcpy(part_aad + 16, "\2\0\0\0\x20\0\0\0\7\0\0\0\0\0\0\0", 16);
	memset(out, 0, sizeof(out));
	assert_ok(sealing_encrypt(&s[0], SEALING_SEGMENT, 7, out, BYTES, tag));
	assert_documented(out, tag, part_nonce, part_aad, sizeof(part_aad));
	close_both(s);
}

/* No two parts of an image have a nonce, and so a keystream, in common. */
static void test_nonces_differ(void **state)
{
	static const uint64_t numbers[] = {0,	  1,	   2,	     255,	 256,	    65535,
					   65536, 1 << 20, 1u << 31, 1ull << 32, 1ull << 33};
	static const uint8_t zero[BYTES];
	uint8_t streams[4 * ARRAY_LEN(numbers)][BYTES], tag[CIPHER_TAG_BYTES];
	struct sealer s[2];

	(void)state;
	open_both(s);
	for (size_t c = 0; c < 2; c++) {
		size_t n = 0;

		for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
			struct chunk chunk = sample(numbers[i]);

			assert_ok(sealing_encrypt_chunk(&s[c], &chunk, zero, streams[n++]));
			for (unsigned int d = SEALING_SEGMENT; d <= SEALING_NOTES; d++) {
				memset(streams[n], 0, BYTES);
				assert_ok(sealing_encrypt(&s[c], (enum sealing_domain)d, numbers[i],
							  streams[n++], BYTES, tag));
			}
		}
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < i; k++)
				assert_memory_not_equal(streams[i], streams[k], BYTES);
	}
	close_both(s);
}

/* What it is said to be is as much part of a chunk as its bytes. */
static void test_chunk_is_bound(void **state)
{
	static const uint8_t zero[BYTES];
	uint8_t sealed[BYTES], out[BYTES];
	struct sealer s[2];

	(void)state;
	open_both(s);
	for (size_t c = 0; c < 2; c++) {
		struct chunk good = sample(7), bad;

		assert_ok(sealing_encrypt_chunk(&s[c], &good, zero, sealed));
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		bad = good;                                                                        \
		change;                                                                            \
		assert_err(sealing_decrypt_chunk(&s[c], &bad, sealed, out), ERR_AUTH);             \
	} while (0)
		REFUSED(bad.codec = 1);
		REFUSED(bad.data_pages = 4);
		REFUSED(bad.first_pfn += CHUNK_PAGES);
		REFUSED(bad.first_pfn++); /* with the nonce of the right one */
		s[c].nonce[NONCE_BYTES - 1] ^= 1;
		REFUSED(;);
		s[c].nonce[NONCE_BYTES - 1] ^= 1;
		assert_ok(sealing_decrypt_chunk(&s[c], &good, sealed, out));
		assert_memory_equal(out, zero, BYTES);
	}
	close_both(s);
}

/* Domain, number and length are in the nonce or the tag anyway; the image's nonce is not. */
static void test_part_is_bound(void **state)
{
	uint8_t part[BYTES] = {9}, tag[CIPHER_TAG_BYTES], copy[BYTES];
	struct sealer s[2];

	(void)state;
	open_both(s);
	for (size_t c = 0; c < 2; c++) {
		memset(part, 9, sizeof(part));
		assert_ok(sealing_encrypt(&s[c], SEALING_SEGMENT, 1, part, BYTES, tag));
		memcpy(copy, part, BYTES);
		assert_err(sealing_decrypt(&s[c], SEALING_SEGMENT, 2, copy, BYTES, tag), ERR_AUTH);
		memcpy(copy, part, BYTES);
		assert_err(sealing_decrypt(&s[c], SEALING_NOTES, 1, copy, BYTES, tag), ERR_AUTH);
		memcpy(copy, part, BYTES);
		s[c].nonce[0] ^= 1;
		assert_err(sealing_decrypt(&s[c], SEALING_SEGMENT, 1, copy, BYTES, tag), ERR_AUTH);
		s[c].nonce[0] ^= 1;
		assert_ok(sealing_decrypt(&s[c], SEALING_SEGMENT, 1, part, BYTES, tag));
		assert_int_equal(part[BYTES - 1], 9);
	}
	close_both(s);
}

static void test_tag(void **state)
{
	struct slot slot = {.state = SLOT_VALID, .features_incompat = SLOT_INCOMPAT_SEALED};
	uint8_t tagged[SLOT_TAGGED_BYTES], wanted[SLOT_TAG_BYTES];

	(void)state;
	slot_tagged(&slot, tagged);
	assert_ok(digest_hmac(keys.tag, tagged, sizeof(tagged), wanted));
	assert_ok(sealing_tag(&keys, &slot));
	assert_memory_equal(slot.tag, wanted, sizeof(wanted));
	assert_ok(sealing_check_tag(&keys, &slot));
	assert_ok(sealing_need_keys(&keys, &slot));
	assert_err(sealing_need_keys(NULL, &slot), ERR_AUTH);
	for (size_t bit = 0; bit < 8 * sizeof(slot.tag); bit++) {
		slot.tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_err(sealing_check_tag(&keys, &slot), ERR_AUTH);
		slot.tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	slot.features_incompat = 0;
	assert_ok(sealing_need_keys(NULL, &slot));
}

/* The image key itself is not kept, only what is derived of it. */
static void test_make(void **state)
{
	struct seal_recipient to = {.authenticated = true};
	struct secret secret;
	struct image_keys derived;
	struct image_seal seal;
	uint8_t key[IMAGE_KEY_BYTES];

	(void)state;
	assert_ok(secret_create(&secret));
	assert_ok(secret_public(&secret, to.public_key));
	memcpy(to.auth_key, secret.auth_key, sizeof(to.auth_key));
	wiped_reset();
	assert_ok(sealing_make(&seal, &cipher_aes_256_gcm, &to, nonce));
	assert_ok(seal_open(&secret, nonce, seal.block, true, key));
	assert_int_equal(wiped(key, sizeof(key)), 2); /* by each of them */
	assert_ok(imagekeys_derive(key, nonce, &derived));
	assert_memory_equal(&derived, &seal.keys, sizeof(derived));
}

static void test_digest(void **state)
{
	uint8_t digest[SLOT_DIGEST_BYTES];

	(void)state;
	assert_ok(digest_sha256("a part", 6, digest));
	assert_ok(sealing_check_digest("a part", 6, digest, "it"));
	assert_err(sealing_check_digest("a part", 5, digest, "it"), ERR_AUTH);
	for (size_t bit = 0; bit < 8 * sizeof(digest); bit++) {
		digest[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_err(sealing_check_digest("a part", 6, digest, "it"), ERR_AUTH);
		digest[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_documented),
		cmocka_unit_test(test_nonces_differ),
		cmocka_unit_test(test_chunk_is_bound),
		cmocka_unit_test(test_part_is_bound),
		cmocka_unit_test(test_tag),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_make),
	};

	return cmocka_run_group_tests_name("sealing", tests, NULL, NULL);
}
