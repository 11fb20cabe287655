/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract of cipher/cipher.h, for every cipher in the table, and known answers of
 * those who standardized them.
 *
 * Planted faults that made it fail: the AAD left out, when sealing and when opening; the
 * nonce not set; plaintext left behind when the tag is wrong; another cipher behind a
 * name; two ids exchanged; the last one that is fast chosen instead of the first.
 */
#include "unit.h"

#include "base/util.h"
#include "cipher/cipher.h"

#include <stdio.h>

static const uint8_t nonce[CIPHER_NONCE_BYTES] = "twelve bytes";
static const struct cipher_aad aad = {"associated", 10};

/* In each, some key that is not zero. */
static struct cipher_key *make_key(const struct cipher *c, uint8_t first)
{
	uint8_t key[CIPHER_KEY_BYTES] = {first, 1, 2, 3};
	struct cipher_key *k;

	assert_ok(c->create(key, &k));
	return k;
}

static void for_each(void (*check)(const struct cipher *c))
{
	unsigned int found = 0;

	for (unsigned int id = 0; id < 256; id++) {
		const struct cipher *c = cipher_by_id((uint8_t)id);

		if (!c)
			continue;
		found++;
		check(c);
	}
	assert_int_equal(found, 2);
}

static void names_one(const struct cipher *c)
{
	assert_ptr_equal(cipher_by_name(c->name), c);
	assert_ptr_equal(cipher_by_id(cipher_id(c)), c);
}

static void test_table(void **state)
{
	(void)state;
	for_each(names_one);
	assert_null(cipher_by_id(CIPHER_NONE));
	assert_ptr_equal(cipher_by_id(1), &cipher_aes_256_gcm); /* as on disk */
	assert_ptr_equal(cipher_by_id(2), &cipher_chacha20_poly1305);
	assert_null(cipher_by_name("aes"));
	assert_true(cipher_fastest()->is_fast());
	if (cipher_aes_256_gcm.is_fast()) /* the table's order decides */
		assert_ptr_equal(cipher_fastest(), &cipher_aes_256_gcm);
}

/* Lengths around the block sizes, several messages with one key, in place and not. */
static void round_trip_one(const struct cipher *c)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 63, 64, 65, 4096, 524288 - 1, 524288};
	uint8_t *in = malloc(524288), *out = malloc(524288), tag[CIPHER_TAG_BYTES];
	struct cipher_key *k = make_key(c, 1);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint8_t n12[CIPHER_NONCE_BYTES] = {(uint8_t)i};
		uint64_t seed = i + 1;

		for (size_t j = 0; j < sizes[i]; j++)
			in[j] = (uint8_t)unit_random(&seed);
		assert_ok(c->seal(k, n12, &aad, in, sizes[i], out, tag));
		if (sizes[i] > 15)
			assert_memory_not_equal(in, out, sizes[i]);
		assert_ok(c->open(k, n12, &aad, out, sizes[i], out, tag));
		assert_memory_equal(in, out, sizes[i]);
		assert_ok(c->seal(k, n12, &aad, out, sizes[i], out, tag));
		assert_ok(c->open(k, n12, &aad, out, sizes[i], out, tag));
		assert_memory_equal(in, out, sizes[i]);
	}
	c->destroy(k);
	c->destroy(NULL);
	free(in);
	free(out);
}

static void test_round_trip(void **state)
{
	(void)state;
	for_each(round_trip_one);
}

#define SHORT 37

/* Not authentic, and nothing left of it. */
static void assert_refused(const struct cipher *c, struct cipher_key *k, const uint8_t *n12,
			   const struct cipher_aad *with, const uint8_t *in, size_t n,
			   const uint8_t *tag)
{
	uint8_t out[SHORT + 1], zero[SHORT + 1] = {0};

	memset(out, 0xee, sizeof(out));
	assert_err(c->open(k, n12, with, in, n, out, tag), ERR_AUTH);
	assert_memory_equal(out, zero, n);
	assert_int_equal(out[n], n == sizeof(out) ? 0 : 0xee);
}

static void negative_one(const struct cipher *c)
{
	static const char text[SHORT] = "a message of some thirty-seven bytes";
	uint8_t sealed[SHORT + 1] = {0}, tag[CIPHER_TAG_BYTES], other[CIPHER_NONCE_BYTES];
	struct cipher_key *k = make_key(c, 1), *wrong = make_key(c, 2);

	assert_ok(c->seal(k, nonce, &aad, text, SHORT, sealed, tag));
	for (size_t bit = 0; bit < SHORT * 8; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_refused(c, k, nonce, &aad, sealed, SHORT, tag);
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < sizeof(tag) * 8; bit++) {
		tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_refused(c, k, nonce, &aad, sealed, SHORT, tag);
		tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < sizeof(nonce) * 8; bit++) {
		memcpy(other, nonce, sizeof(other));
		other[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_refused(c, k, other, &aad, sealed, SHORT, tag);
	}
	for (size_t n = 0; n < SHORT; n++) /* every truncation */
		assert_refused(c, k, nonce, &aad, sealed, n, tag);
	assert_refused(c, k, nonce, &(struct cipher_aad){"associatee", 10}, sealed, SHORT, tag);
	assert_refused(c, k, nonce, &(struct cipher_aad){"associated", 9}, sealed, SHORT, tag);
	assert_refused(c, k, nonce, &(struct cipher_aad){NULL, 0}, sealed, SHORT, tag);
	assert_refused(c, wrong, nonce, &aad, sealed, SHORT, tag);
	/* None of this has harmed the key. */
	assert_ok(c->open(k, nonce, &aad, sealed, SHORT, sealed, tag));
	assert_memory_equal(sealed, text, SHORT);
	c->destroy(k);
	c->destroy(wrong);
}

static void test_negative(void **state)
{
	(void)state;
	for_each(negative_one);
}

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; *hex; hex += 2)
		assert_int_equal(sscanf(hex, "%2hhx", &out[n++]), 1);
	return n;
}

static const struct vector {
	const char *cipher, *key, *nonce, *aad, *plain, *sealed, *tag;
} vectors[] = {
	/* D. McGrew, J. Viega, "The Galois/Counter Mode of Operation", test case 16, as
	 * NIST has it among its examples of AES-256 */
	{
		"aes-256-gcm",
		"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
		"cafebabefacedbaddecaf888",
		"feedfacedeadbeeffeedfacedeadbeefabaddad2",
		"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c9595680953"
		"2fcf0e2449a6b525b16aedf5aa0de657ba637b39",
		"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3d"
		"a7b08b1056828838c5f61e6393ba7a0abcc9f662",
		"76fc6ece0f4e1768cddf8853bb2d551b",
	},
	/* RFC 8439, 2.8.2 */
	{
		"chacha20-poly1305",
		"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
		"070000004041424344454647",
		"50515253c0c1c2c3c4c5c6c7",
		"4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f6620273939"
		"3a204966204920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220"
		"746865206675747572652c2073756e73637265656e20776f756c642062652069742e",
		"d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca96712"
		"82fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58"
		"fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116",
		"1ae10b594f09e26a7e902ecbd0600691",
	},
};

static void known_one(const struct cipher *c)
{
	uint8_t key[32], n12[12], with[64], plain[256], sealed[256], out[256], tag[16], got[16];
	const struct vector *v = vectors;
	struct cipher_aad a = {with, 0};
	struct cipher_key *k;
	size_t n;

	while (strcmp(v->cipher, c->name))
		assert_true(++v < vectors + ARRAY_LEN(vectors)); /* each cipher has one */
	from_hex(v->key, key);
	from_hex(v->nonce, n12);
	a.n = from_hex(v->aad, with);
	n = from_hex(v->plain, plain);
	from_hex(v->sealed, sealed);
	from_hex(v->tag, tag);
	assert_ok(c->create(key, &k));
	assert_ok(c->seal(k, n12, &a, plain, n, out, got));
	assert_memory_equal(out, sealed, n);
	assert_memory_equal(got, tag, sizeof(tag));
	assert_ok(c->open(k, n12, &a, sealed, n, out, tag));
	assert_memory_equal(out, plain, n);
	c->destroy(k);
}

static void test_known_answers(void **state)
{
	(void)state;
	for_each(known_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_negative),
		cmocka_unit_test(test_known_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
