/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys: what they are derived of (known answers of RFC 5869, 4231 and 7748), and an
 * image key that is sealed and opened, and not opened by anybody else.
 *
 * Planted faults that made it fail: the authentication key left out of the derivation, or
 * anything else of what goes into it; the block's nonce, or its recipient, not compared; both
 * keys of an image derived with the same label, or of a part of the image key; a key, or
 * what it is derived of, not wiped; randomness for a part of a key.
 */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "cipher/cipher.h"
#include "keys/digest.h"
#include "keys/imagekeys.h"
#include "keys/seal.h"
#include "keys/x25519.h"
#include "wiped.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

static const uint8_t nonce[KEYBLOCK_NONCE_BYTES] = "nonce of images";

static void from_hex(const char *hex, uint8_t *out)
{
	for (; *hex; hex += 2)
		assert_int_equal(sscanf(hex, "%2hhx", out++), 1);
}

static void assert_hex(const uint8_t *p, const char *hex)
{
	uint8_t wanted[64];

	from_hex(hex, wanted);
	assert_memory_equal(p, wanted, strlen(hex) / 2);
}

static void test_digests(void **state)
{
	uint8_t out[DIGEST_BYTES], key[DIGEST_BYTES] = {0}, ikm[22], salt[13], info[10];

	(void)state;
	assert_ok(digest_sha256("abc", 3, out)); /* FIPS 180-2, B.1 */
	assert_hex(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	/* RFC 4231, test case 1: the key is padded with zeros to the block anyway */
	memset(key, 0x0b, 20);
	assert_ok(digest_hmac(key, "Hi There", 8, out));
	assert_hex(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	/* RFC 5869, A.1, the first 32 bytes */
	memset(ikm, 0x0b, sizeof(ikm));
	for (uint8_t i = 0; i < sizeof(salt); i++)
		salt[i] = i;
	for (uint8_t i = 0; i < sizeof(info); i++)
		info[i] = (uint8_t)(0xf0 + i);
	assert_ok(digest_hkdf((struct digest_bytes){ikm, sizeof(ikm)},
			      (struct digest_bytes){salt, sizeof(salt)},
			      (struct digest_bytes){info, sizeof(info)}, out));
	assert_hex(out, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
}

static void test_x25519(void **state)
{
	uint8_t alice[32], bob[32], bob_public[32], shared[32], zero[32] = {0};

	(void)state;
	/* RFC 7748, 6.1 */
	from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", bob);
	from_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", alice);
	assert_ok(x25519_public(bob, bob_public));
	assert_hex(bob_public, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
	assert_ok(x25519_shared(bob, alice, shared));
	assert_hex(shared, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	assert_err(x25519_shared(bob, zero, shared), ERR_AUTH);
}

/* In place of libc's: so much was asked for. */
static size_t random_given;

ssize_t getrandom(void *p, size_t n, unsigned int flags)
{
	random_given += n;
	return syscall(SYS_getrandom, p, n, flags);
}

/* All of a secret and of an ephemeral key comes from there. */
static void test_random(void **state)
{
	struct seal_recipient to = {.authenticated = false};
	uint8_t key[IMAGE_KEY_BYTES] = {1}, block[KEYBLOCK_BYTES];
	struct secret s;

	(void)state;
	random_given = 0;
	assert_ok(secret_create(&s));
	assert_int_equal(random_given, sizeof(s));
	assert_ok(secret_public(&s, to.public_key));
	random_given = 0;
	assert_ok(seal_key(&to, nonce, key, block));
	assert_int_equal(random_given, X25519_BYTES);
}

struct fixture {
	struct secret secret;
	struct seal_recipient to;
	uint8_t key[IMAGE_KEY_BYTES];
	uint8_t block[KEYBLOCK_BYTES];
};

static void seal_sample(struct fixture *f, bool authenticated)
{
	memset(f, 0, sizeof(*f));
	assert_ok(secret_create(&f->secret));
	assert_ok(secret_public(&f->secret, f->to.public_key));
	f->to.authenticated = authenticated;
	if (authenticated)
		memcpy(f->to.auth_key, f->secret.auth_key, sizeof(f->to.auth_key));
	memset(f->key, 0x5a, sizeof(f->key));
	assert_ok(seal_key(&f->to, nonce, f->key, f->block));
}

static void assert_refused(const struct fixture *f, const struct secret *s, const uint8_t *n16,
			   bool authenticated)
{
	uint8_t key[IMAGE_KEY_BYTES], untouched[IMAGE_KEY_BYTES];

	memset(key, 0xee, sizeof(key));
	memset(untouched, 0xee, sizeof(untouched));
	assert_err(seal_open(s, n16, f->block, authenticated, key), ERR_AUTH);
	assert_memory_equal(key, untouched, sizeof(key));
}

static void test_round_trip(void **state)
{
	uint8_t key[IMAGE_KEY_BYTES], before[KEYBLOCK_BYTES];
	struct fixture f;

	(void)state;
	for (int authenticated = 0; authenticated < 2; authenticated++) {
		seal_sample(&f, authenticated);
		assert_true(seal_is_for(f.block, f.to.public_key));
		assert_ok(seal_open(&f.secret, nonce, f.block, authenticated, key));
		assert_memory_equal(key, f.key, sizeof(key));
		/* The same key for the same image again: not one byte of it is the same. */
		memcpy(before, f.block, sizeof(before));
		assert_ok(seal_key(&f.to, nonce, f.key, f.block));
		for (size_t i = 32; i < 64; i += 16)
			assert_memory_not_equal(before + i, f.block + i, 16);
		assert_memory_not_equal(before + 96, f.block + 96, 32);
	}
}

static void test_wrong_keys(void **state)
{
	static const uint8_t other_nonce[KEYBLOCK_NONCE_BYTES] = "nonce of anothe";
	struct secret other;
	struct fixture f;

	(void)state;
	seal_sample(&f, true);
	assert_ok(secret_create(&other));
	assert_refused(&f, &other, nonce, true);
	other = f.secret; /* the right private key, another authentication key */
	other.auth_key[31] ^= 1;
	assert_refused(&f, &other, nonce, true);
	other = f.secret;
	other.private_key[5] ^= 0x10;
	assert_refused(&f, &other, nonce, true);
	assert_refused(&f, &f.secret, other_nonce, true);
}

/* What somebody makes who has the public key alone, and what is said to be less than it is. */
static void test_downgrade(void **state)
{
	struct seal_recipient forger;
	struct fixture f;

	(void)state;
	seal_sample(&f, true);
	assert_refused(&f, &f.secret, nonce, false);
	forger = f.to;
	forger.authenticated = false;
	assert_ok(seal_key(&forger, nonce, f.key, f.block));
	assert_refused(&f, &f.secret, nonce, true);
	forger.authenticated = true;
	memset(forger.auth_key, 0, sizeof(forger.auth_key));
	assert_ok(seal_key(&forger, nonce, f.key, f.block));
	assert_refused(&f, &f.secret, nonce, true);
}

static void fix_checksum(uint8_t block[KEYBLOCK_BYTES])
{
	le32_t sum = le32_of(crc32c(0, block, KEYBLOCK_BYTES - sizeof(sum)));

	memcpy(block + KEYBLOCK_BYTES - sizeof(sum), &sum, sizeof(sum));
}

/* Each bit of nonce, ephemeral key, recipient, sealed key and tag; the checksum is no help
 * against who can compute it. Bit 255 of a public key is ignored by X25519, but not here. */
static void test_flips(void **state)
{
	struct fixture f;
	uint8_t key[IMAGE_KEY_BYTES];

	(void)state;
	seal_sample(&f, true);
	for (size_t bit = 16 * 8; bit < 144 * 8; bit++) {
		f.block[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_err(seal_open(&f.secret, nonce, f.block, true, key), ERR_CORRUPT);
		fix_checksum(f.block);
		assert_refused(&f, &f.secret, nonce, true);
		f.block[bit / 8] ^= (uint8_t)(1 << bit % 8);
		fix_checksum(f.block);
	}
	assert_ok(seal_open(&f.secret, nonce, f.block, true, key));
	memset(f.block, 0, sizeof(f.block)); /* wiped */
	assert_err(seal_open(&f.secret, nonce, f.block, true, key), ERR_CORRUPT);
	assert_false(seal_is_for(f.block, f.to.public_key));
}

static void assert_label(const uint8_t *key, const char *label, const uint8_t *derived)
{
	uint8_t wanted[DIGEST_BYTES];

	assert_ok(digest_hkdf((struct digest_bytes){key, IMAGE_KEY_BYTES},
			      (struct digest_bytes){nonce, sizeof(nonce)},
			      (struct digest_bytes){label, strlen(label)}, wanted));
	assert_memory_equal(derived, wanted, sizeof(wanted));
}

static void test_image_keys(void **state)
{
	static const uint8_t other_nonce[KEYBLOCK_NONCE_BYTES] = "nonce of anothe";
	uint8_t key[IMAGE_KEY_BYTES] = {7, [31] = 8};
	struct image_keys a, b;

	(void)state;
	assert_ok(imagekeys_derive(key, nonce, &a));
	assert_label(key, "dormouse data 1", a.data);
	assert_label(key, "dormouse superblock 1", a.tag);
	assert_ok(imagekeys_derive(key, other_nonce, &b));
	assert_memory_not_equal(a.data, b.data, sizeof(a.data));
	assert_memory_not_equal(a.tag, b.tag, sizeof(a.tag));
}

/* The key that the image key is sealed with, as docs/image-format.md derives it. */
static void derive_kek(const struct fixture *f, uint8_t kek[DIGEST_BYTES])
{
	uint8_t secret[64], info[79] = "dormouse key 1";
	bool authenticated = f->to.authenticated;

	assert_ok(x25519_shared(f->secret.private_key, f->block + 32, secret));
	memcpy(secret + 32, f->secret.auth_key, 32);
	memcpy(info + 14, f->block + 32, 32);
	memcpy(info + 46, f->to.public_key, 32);
	info[78] = authenticated;
	assert_ok(digest_hkdf((struct digest_bytes){secret, authenticated ? 64 : 32},
			      (struct digest_bytes){nonce, sizeof(nonce)},
			      (struct digest_bytes){info, sizeof(info)}, kek));
}

static void test_as_documented(void **state)
{
	static const uint8_t zero_nonce[CIPHER_NONCE_BYTES];
	const struct cipher_aad none = {NULL, 0};
	uint8_t kek[DIGEST_BYTES], key[IMAGE_KEY_BYTES];
	struct cipher_key *k;
	struct fixture f;

	(void)state;
	for (int authenticated = 0; authenticated < 2; authenticated++) {
		seal_sample(&f, authenticated);
		derive_kek(&f, kek);
		assert_ok(cipher_aes_256_gcm.create(kek, &k));
		assert_ok(cipher_aes_256_gcm.open(k, zero_nonce, &none, f.block + 96, sizeof(key),
						  key, f.block + 128));
		cipher_aes_256_gcm.destroy(k);
		assert_memory_equal(key, f.key, sizeof(key));
	}
}

/* The private half of the block's ephemeral key. */
static bool ephemeral_wiped(const struct fixture *f)
{
	uint8_t public_key[32];
	bool found = false;

	for (unsigned int i = 0; i < wipe_count; i++) {
		if (wipes[i].n != sizeof(public_key))
			continue;
		assert_ok(x25519_public(wipes[i].bytes, public_key));
		found |= !memcmp(public_key, f->block + 32, 32);
	}
	return found;
}

/* No key stays behind, and nothing that one is derived of. */
static void test_wiped(void **state)
{
	uint8_t kek[DIGEST_BYTES], key[IMAGE_KEY_BYTES];
	struct fixture f;

	(void)state;
	wiped_reset();
	seal_sample(&f, true);
	derive_kek(&f, kek);
	assert_int_equal(wiped(kek, 32), 1);
	assert_int_equal(wiped(f.secret.auth_key, 32), 1);
	assert_true(ephemeral_wiped(&f));
	wiped_reset();
	assert_ok(seal_open(&f.secret, nonce, f.block, true, key));
	assert_int_equal(wiped(kek, 32), 1);
	assert_int_equal(wiped(f.secret.auth_key, 32), 1);
	assert_int_equal(wiped(f.key, 32), 1);
	wiped_reset();
	f.block[130] ^= 1; /* the tag */
	fix_checksum(f.block);
	assert_refused(&f, &f.secret, nonce, true);
	assert_int_equal(wiped(kek, 32), 1);
	assert_int_equal(wiped(f.secret.auth_key, 32), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests),	   cmocka_unit_test(test_x25519),
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_wrong_keys),
		cmocka_unit_test(test_downgrade),  cmocka_unit_test(test_flips),
		cmocka_unit_test(test_image_keys), cmocka_unit_test(test_as_documented),
		cmocka_unit_test(test_wiped),	   cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
