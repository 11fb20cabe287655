/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the writer makes of the secrets in its handoff, and that they are not left there.
 * Faults planted, each found: the public key, the authentication key and the seed left in the
 * handoff, also after an error; the image key left there; the generator not seeded, the seed
 * not counted, or not taken at once; the authentication key left out; a cipher that is not
 * known taken for the fastest; keyslots of no bytes taken for some.
 */
#include "unit.h"

#include "imagewriter/secrets.h"
#include "tempfile.h"

#include <errno.h>
#include <linux/random.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>

/* What the kernel's generator was given. */
static struct {
	int entropy_count;
	uint8_t seed[HANDOFF_SEED_BYTES];
	bool taken; /* into what is given out */
	int error;  /* errno of taking it */
} generator;

static int fake_ioctl(int fd, unsigned long request, ...)
{
	const struct rand_pool_info *info;
	va_list args;

	(void)fd;
	if (request == RNDRESEEDCRNG) {
		generator.taken = generator.entropy_count;
		errno = generator.error;
		return generator.error ? -1 : 0;
	}
	assert_true(request == RNDADDENTROPY);
	va_start(args, request);
	info = va_arg(args, const struct rand_pool_info *);
	va_end(args);
	assert_int_equal(info->buf_size, sizeof(generator.seed));
	generator.entropy_count = info->entropy_count;
	memcpy(generator.seed, info->buf, sizeof(generator.seed));
	return 0;
}

static char keyslots_path[64] = "/nonexistent";

#define ioctl fake_ioctl
#undef HANDOFF_KEYSLOTS
#define HANDOFF_KEYSLOTS keyslots_path
#include "imagewriter/secrets.c"

static const uint8_t zero[sizeof(struct handoff)];

static struct secret secret;

/* To hibernate, sealed; on the heap, since it is large. */
static struct handoff *sample(bool authenticated)
{
	struct handoff *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	memset(&generator, 0, sizeof(generator));
	assert_ok(secret_create(&secret));
	memset(h->nonce, 0x42, sizeof(h->nonce));
	h->sealed = true;
	assert_ok(secret_public(&secret, h->seal.public_key));
	memcpy(h->seal.auth_key, secret.auth_key, sizeof(h->seal.auth_key));
	h->seal.authenticated = authenticated;
	memset(h->seed, 0x33, sizeof(h->seed));
	return h;
}

static void assert_forgotten(const struct handoff *h)
{
	assert_memory_equal(&h->seal, zero, sizeof(h->seal));
	assert_memory_equal(h->seed, zero, sizeof(h->seed));
}

static void test_seal(void **state)
{
	(void)state;
	for (int authenticated = 0; authenticated < 2; authenticated++) {
		struct handoff *h = sample(authenticated);
		uint8_t key[IMAGE_KEY_BYTES], seed[HANDOFF_SEED_BYTES];
		struct image_keys keys;
		struct image_seal *s;

		memcpy(seed, h->seed, sizeof(seed));
		assert_ok(secrets_seal(h, &s));
		assert_forgotten(h);
		assert_int_equal(generator.entropy_count, 8 * HANDOFF_SEED_BYTES);
		assert_memory_equal(generator.seed, seed, sizeof(seed));
		assert_true(generator.taken);
		assert_ptr_equal(s->cipher, cipher_fastest());
		assert_int_equal(s->authenticated, authenticated);
		assert_null(s->keyslots);
		assert_ok(seal_open(&secret, h->nonce, s->block, authenticated, key));
		assert_ok(imagekeys_derive(key, h->nonce, &keys));
		assert_memory_equal(&keys, &s->keys, sizeof(keys));
		secrets_forget_seal(&s);
		assert_null(s);
		secrets_forget_seal(&s);
		free(h);
	}
}

static void test_not_sealed(void **state)
{
	struct handoff *h = sample(true);
	struct image_seal *s = (struct image_seal *)h;
	struct image_keys *k = (struct image_keys *)h;

	(void)state;
	h->sealed = false;
	assert_ok(secrets_seal(h, &s));
	assert_null(s);
	assert_ok(secrets_keys(h, &k));
	assert_null(k);
	free(h);
}

static void test_ciphers(void **state)
{
	struct handoff *h = sample(true);
	struct image_seal *s;

	(void)state;
	h->seal.cipher = CIPHER_CHACHA20_POLY1305;
	assert_ok(secrets_seal(h, &s));
	assert_string_equal(s->cipher->name, "chacha20-poly1305");
	secrets_forget_seal(&s);
	free(h);
	h = sample(true);
	h->seal.cipher = 0x101;
	assert_err(secrets_seal(h, &s), ERR_UNSUPPORTED);
	assert_null(s);
	assert_forgotten(h);
	free(h);
}

/* A generator that was not ready until then says so, and has taken it. */
static void test_not_ready(void **state)
{
	struct handoff *h = sample(true);
	struct image_seal *s;

	(void)state;
	generator.error = ENODATA;
	assert_ok(secrets_seal(h, &s));
	secrets_forget_seal(&s);
	free(h);
	h = sample(true);
	generator.error = EPERM;
	assert_err(secrets_seal(h, &s), ERR_IO);
	assert_null(s);
	assert_forgotten(h);
	free(h);
}

static void test_keyslots(void **state)
{
	struct handoff *h = sample(true);
	struct image_seal *s;
	struct tempfile f;

	(void)state;
	tempfile_open(&f, 0);
	strcpy(keyslots_path, f.path);
	assert_ok(secrets_seal(h, &s));
	assert_null(s->keyslots);
	secrets_forget_seal(&s);
	free(h);
	assert_int_equal(pwrite(f.fd, "keyslots", 8, 0), 8);
	h = sample(true);
	assert_ok(secrets_seal(h, &s));
	assert_int_equal(s->keyslots_bytes, 8);
	assert_memory_equal(s->keyslots, "keyslots", 8);
	secrets_forget_seal(&s);
	free(h);
	tempfile_close(&f);
}

static void test_keys(void **state)
{
	struct handoff *h = calloc(1, sizeof(*h));
	struct image_keys *k, want;

	(void)state;
	assert_non_null(h);
	h->has_image_key = true;
	memset(h->image_key, 0x44, sizeof(h->image_key));
	memset(h->nonce, 0x42, sizeof(h->nonce));
	assert_ok(imagekeys_derive(h->image_key, h->nonce, &want));
	assert_ok(secrets_keys(h, &k));
	assert_memory_equal(k, &want, sizeof(want));
	assert_memory_equal(h->image_key, zero, sizeof(h->image_key));
	secrets_forget_keys(&k);
	assert_null(k);
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seal),	  cmocka_unit_test(test_not_sealed),
		cmocka_unit_test(test_ciphers),	  cmocka_unit_test(test_keyslots),
		cmocka_unit_test(test_not_ready), cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
