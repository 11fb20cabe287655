/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which images a boot believes, and with which secret it opens them. Faults planted, each
 * found: an image that is not encrypted taken with encrypt = yes; one that is sealed for
 * others; keyslots opened that are not the pinned ones; "authenticated" taken from the image
 * instead of the pins; the key given out after an error; an error that another passphrase
 * mends taken for one that it does not, and the other way.
 */
#include "testmachine.h"

#include "resume/imagekey.c"

#include "image/sealing.h"

#include <stdio.h>

static const uint8_t keyslots[] = "LUKS\xba\xbe, and what opens it";

/* What passphrases_try finds, or fails with. */
static struct {
	struct secret secret;
	int kind; /* of the error; -1: none */
} door;

static struct passphrase typed;

err_t passphrases_try(const struct options *o, const struct opener *want, const char *what,
		      struct passphrase *known, void *out, bool *person)
{
	uint8_t got[sizeof(keyslots) + 1];

	(void)o, (void)what;
	assert_ptr_equal(known, &typed);
	assert_int_equal(pread(want->header, got, sizeof(got), 0), sizeof(keyslots));
	assert_memory_equal(got, keyslots, sizeof(keyslots));
	assert_int_equal(want->bytes, sizeof(struct secret));
	*person = true;
	if (door.kind >= 0)
		return err_new((enum err_kind)door.kind, "planted");
	memcpy(out, &door.secret, sizeof(door.secret));
	return NULL;
}

/* A boot of a machine, with an image that is the machine's own. */
struct boot {
	struct machine m;
	struct image_seal seal;
	struct secret secret;
	struct options o;
};

static void write_sealed(struct boot *b, const struct secret *s, bool authenticated)
{
	struct seal_recipient to = {.authenticated = authenticated};

	assert_ok(secret_public(s, to.public_key));
	memcpy(to.auth_key, s->auth_key, sizeof(to.auth_key));
	assert_ok(sealing_make(&b->seal, cipher_by_name("aes-256-gcm"), &to, nonce));
	b->seal.keyslots = keyslots;
	b->seal.keyslots_bytes = sizeof(keyslots);
	b->m.seal = &b->seal;
	assert_ok(write_image(&b->m, &usual, NULL));
	assert_int_equal(b->m.slot.sealing.flags, authenticated ? SLOT_SEALED_AUTHENTICATED : 0);
}

static int setup(void **state)
{
	struct boot *b = calloc(1, sizeof(*b));

	machine_init(&b->m, 4, FAKE_ZERO, RUNS, false);
	assert_ok(secret_create(&b->secret));
	b->o.encrypt = true;
	b->o.pins.has_public = b->o.pins.authenticated = true;
	assert_ok(secret_public(&b->secret, b->o.pins.public_key));
	write_sealed(b, &b->secret, true);
	door.secret = b->secret;
	door.kind = -1;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct boot *b = *state;

	machine_deinit(&b->m);
	free(b);
	return 0;
}

static err_t check(struct boot *b)
{
	return imagekey_check(&b->m.t, &b->m.slot, &b->o);
}

static void test_check(void **state)
{
	struct boot *b = *state;
	struct secret other;

	assert_ok(check(b));
	b->o.pins.public_key[31] ^= 1;
	assert_err(check(b), ERR_AUTH);
	b->o.pins.public_key[31] ^= 1;
	b->o.pins.has_public = false;
	assert_err(check(b), ERR_REFUSED);
	b->o.pins.has_public = true;
	assert_ok(secret_create(&other));
	write_sealed(b, &other, true);
	assert_err(check(b), ERR_AUTH);
	tempfile_flip(&b->m.file, b->m.slot.sealing.key.offset + 4000, 1);
	assert_err(check(b), ERR_CORRUPT);
}

/* Whoever can write to the disk can put one there. */
static void test_not_encrypted(void **state)
{
	struct boot *b = *state;

	b->m.seal = NULL;
	assert_ok(write_image(&b->m, &usual, NULL));
	assert_err(check(b), ERR_AUTH);
	b->o.encrypt = false;
	assert_ok(check(b));
}

/* Memory of this process that is locked: where the secret was. */
static unsigned long locked_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long kib = 0;
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "VmLck: %lu", &kib);
	fclose(f);
	return kib;
}

static void assert_key(struct boot *b)
{
	unsigned long before = locked_kib();
	uint8_t key[IMAGE_KEY_BYTES];
	struct image_keys keys;
	bool again = true, person = false;

	assert_ok(imagekey_get(&b->m.t, &b->m.slot, &b->o, &typed, key, &again, &person));
	assert_int_equal(locked_kib(), before);
	assert_false(again);
	assert_true(person);
	assert_ok(imagekeys_derive(key, nonce, &keys));
	assert_memory_equal(&keys, &b->seal.keys, sizeof(keys));
}

static void assert_no_key(struct boot *b, enum err_kind kind, bool may_again)
{
	uint8_t key[IMAGE_KEY_BYTES], untouched[IMAGE_KEY_BYTES];
	unsigned long before = locked_kib();
	bool again = !may_again, person = false;

	memset(key, 0xee, sizeof(key));
	memset(untouched, 0xee, sizeof(untouched));
	assert_err(imagekey_get(&b->m.t, &b->m.slot, &b->o, &typed, key, &again, &person), kind);
	assert_memory_equal(key, untouched, sizeof(key));
	assert_int_equal(again, may_again);
	assert_int_equal(locked_kib(), before);
}

/* Who can write to the disk can exchange the keyslots, or all of the image, so that a
 * passphrase of theirs opens it. */
static void test_other_keyslots(void **state)
{
	struct boot *b = *state;
	struct secret theirs;

	assert_key(b);
	assert_ok(secret_create(&theirs));
	door.secret = theirs;
	assert_no_key(b, ERR_AUTH, false);
	write_sealed(b, &theirs, true);
	assert_no_key(b, ERR_AUTH, false);
	/* The right private key, and not the authentication key that the image is bound to. */
	door.secret = b->secret;
	write_sealed(b, &b->secret, true);
	door.secret.auth_key[0] ^= 1;
	assert_no_key(b, ERR_AUTH, false);
}

/* Made with the public key alone, as anybody can: what is pinned says if that is enough. */
static void test_not_authenticated(void **state)
{
	struct boot *b = *state;

	write_sealed(b, &b->secret, false);
	assert_no_key(b, ERR_AUTH, false);
	b->o.pins.authenticated = false;
	assert_key(b);
	write_sealed(b, &b->secret, true);
	assert_no_key(b, ERR_AUTH, false);
}

static void test_another_image(void **state)
{
	struct boot *b = *state;

	b->m.slot.nonce[15] ^= 1;
	assert_no_key(b, ERR_AUTH, false);
}

static void test_not_opened(void **state)
{
	static const struct {
		enum err_kind kind;
		bool again;
	} cases[] = {{ERR_AUTH, true},	   {ERR_ABORTED, true}, {ERR_NOMEM, true},
		     {ERR_REFUSED, false}, {ERR_IO, false},	{ERR_CORRUPT, false}};
	struct boot *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		door.kind = cases[i].kind;
		assert_no_key(b, cases[i].kind, cases[i].again);
	}
	door.kind = -1;
	tempfile_flip(&b->m.file, b->m.slot.sealing.keyslots.offset + 7, 1);
	assert_no_key(b, ERR_CORRUPT, false);
	b->m.slot.sealing.keyslots.length = 0;
	assert_no_key(b, ERR_AUTH, false);
}

#define BOOT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOOT_TEST(test_check),		BOOT_TEST(test_not_encrypted),
		BOOT_TEST(test_other_keyslots), BOOT_TEST(test_not_authenticated),
		BOOT_TEST(test_another_image),	BOOT_TEST(test_not_opened),
	};

	return cmocka_run_group_tests_name("imagekey", tests, NULL, NULL);
}
