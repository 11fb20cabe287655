/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Against cryptsetup's own program, where it can be. Faults planted, each found: the
 * volume key's size not compared; the first keyslot alone tried; a keyslot that needs too
 * much memory tried all the same, or ending the search; *out changed by a wrong
 * passphrase; room for three passphrases; a copy of the secret not wiped; a token of any type
 * tried; a limit of passes that what cryptsetup makes by default is over; any
 * number of keyslots tried.
 */
#include "unit.h"

#include "base/util.h"
#include "keys/luks.h"
#include "keys/openable.h"
#include "keys/token.h"
#include "tempfile.h"
#include "wiped.h"

#include <stdio.h>
#include <sys/stat.h>

#define PASS  "a passphrase"
#define OTHER "another one"
#define SHORT "--pbkdf argon2id --pbkdf-memory 64 --pbkdf-force-iterations 4 --pbkdf-parallel 1"

/* As cheap as LUKS2 lets it be. */
static const struct luks_cost cheap = {.memory_kib = 64, .iterations = 4};

static void make_secret(struct secret *s)
{
	uint8_t *p = (uint8_t *)s;

	for (size_t i = 0; i < sizeof(*s); i++)
		p[i] = (uint8_t)(i * 7 + 1);
}

static void make(struct tempfile *f, struct secret *s)
{
	make_secret(s);
	tempfile_open(f, 0);
	assert_ok(luks_create(f->path, s, PASS, strlen(PASS), &cheap));
}

static err_t open_with(const struct tempfile *f, const char *pass, struct secret *out)
{
	return luks_open_passphrase(f->path, pass, strlen(pass), MIB, out);
}

static void assert_opens(const struct tempfile *f, const char *pass)
{
	struct secret s, got;

	make_secret(&s);
	wiped_reset();
	assert_ok(open_with(f, pass, &got));
	assert_memory_equal(&got, &s, sizeof(s));
	assert_int_equal(wiped(&s, sizeof(s)), 1); /* a copy of it */
}

/* A command; its output, cut off at n. */
static int run(const char *command, char *out, size_t n)
{
	FILE *f = popen(command, "r");
	size_t got;

	assert_non_null(f);
	got = fread(out, 1, n - 1, f);
	out[got] = '\0';
	return pclose(f);
}

static err_t count(const struct tempfile *f, unsigned int *used)
{
	struct openable o;

	TRY(openable_look(f->path, MIB, &o));
	*used = openable_count(&o, 0);
	return NULL;
}

static void tool(const struct tempfile *f, const char *format)
{
	char command[1024], text[256];

	snprintf(command, sizeof(command), format, f->path);
	if (run(command, text, sizeof(text)))
		fail_msg("failed: %s", command);
}

static void test_opens(void **state)
{
	struct secret s, got = {.auth_key = {9}}, before = got;
	uint8_t public_key[SECRET_KEY_BYTES], wanted[SECRET_KEY_BYTES];
	unsigned int used;
	struct tempfile f;
	struct stat st;

	(void)state;
	make(&f, &s);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_size, LUKS_HEADER_BYTES);
	assert_err(open_with(&f, "wrong", &got), ERR_AUTH);
	assert_err(open_with(&f, "", &got), ERR_AUTH);
	assert_memory_equal(&got, &before, sizeof(got));
	assert_opens(&f, PASS);
	assert_ok(luks_public_key(f.path, public_key));
	assert_ok(secret_public(&s, wanted));
	assert_memory_equal(public_key, wanted, sizeof(wanted));
	assert_ok(count(&f, &used));
	assert_int_equal(used, 1);
	tempfile_close(&f);
}

/* Its type would name the library that is loaded for it. */
static void test_other_token(void **state)
{
	struct secret s, got;
	struct tempfile f;
	err_t e;

	(void)state;
	make(&f, &s);
	tool(&f, "echo '{\"type\":\"planted\",\"keyslots\":[\"0\"]}' | "
		 "cryptsetup token import %s");
	e = token_open(f.path, &got);
	assert_non_null(e);
	assert_non_null(strstr(err_text(e), "has no token"));
	err_free(e);
	tempfile_close(&f);
}

/* The secret itself is nowhere in the file. */
static void test_nothing_in_the_clear(void **state)
{
	CLEANUP_FREE uint8_t *bytes = malloc(LUKS_HEADER_BYTES);
	struct secret s;
	struct tempfile f;

	(void)state;
	make(&f, &s);
	assert_int_equal(pread(f.fd, bytes, LUKS_HEADER_BYTES, 0), LUKS_HEADER_BYTES);
	assert_null(memmem(bytes, LUKS_HEADER_BYTES, &s, 16));
	assert_null(memmem(bytes, LUKS_HEADER_BYTES, s.auth_key, 16));
	assert_null(memmem(bytes, LUKS_HEADER_BYTES, PASS, strlen(PASS)));
	tempfile_close(&f);
}

static void test_many_public_keys(void **state)
{
	(void)state;
	/* Among 8 keys of 43 characters some have a "/" in their base64. */
	for (unsigned int i = 0; i < 8; i++) {
		uint8_t public_key[SECRET_KEY_BYTES], wanted[SECRET_KEY_BYTES];
		struct tempfile f;
		struct secret s;

		make_secret(&s);
		s.private_key[5] = (uint8_t)i;
		tempfile_open(&f, 0);
		assert_ok(luks_create(f.path, &s, PASS, strlen(PASS), &cheap));
		assert_ok(luks_public_key(f.path, public_key));
		assert_ok(secret_public(&s, wanted));
		assert_memory_equal(public_key, wanted, sizeof(wanted));
		tempfile_close(&f);
	}
}

static void flip_range(struct tempfile *f, uint64_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tempfile_flip(f, at + i, 0xff);
}

static void test_damage(void **state)
{
	/* Of each copy: its binary header, its JSON. */
	static const uint64_t places[] = {0, 4096 + 16};
	struct secret s, got;
	uint8_t public_key[SECRET_KEY_BYTES];
	unsigned int used;
	struct tempfile f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		for (size_t copy = 0; copy < 2; copy++) {
			make(&f, &s);
			flip_range(&f, copy * LUKS_METADATA_BYTES + places[i], 8);
			assert_opens(&f, PASS);
			assert_ok(luks_public_key(f.path, public_key));
			tempfile_close(&f);
		}
		make(&f, &s);
		flip_range(&f, places[i], 8);
		flip_range(&f, LUKS_METADATA_BYTES + places[i], 8);
		assert_err(open_with(&f, PASS, &got), ERR_CORRUPT);
		assert_err(luks_public_key(f.path, public_key), ERR_CORRUPT);
		assert_err(count(&f, &used), ERR_CORRUPT);
		tempfile_close(&f);
	}
	/* In the first keyslot's material: nobody can tell that from a wrong passphrase. */
	make(&f, &s);
	flip_range(&f, 2 * LUKS_METADATA_BYTES + 1000, 8);
	assert_err(open_with(&f, PASS, &got), ERR_AUTH);
	tempfile_close(&f);
}

static void test_no_header(void **state)
{
	static const size_t lengths[] = {0, 1, 4096, 3 * LUKS_METADATA_BYTES};
	struct secret s, got;
	struct tempfile f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		/* Zeros; and one that was cut off. */
		tempfile_open(&f, lengths[i]);
		assert_true(unit_is_err(open_with(&f, PASS, &got)));
		tempfile_close(&f);
		make(&f, &s);
		assert_int_equal(ftruncate(f.fd, (off_t)lengths[i]), 0);
		assert_true(unit_is_err(open_with(&f, PASS, &got)));
		tempfile_close(&f);
	}
	assert_err(luks_open_passphrase("/nonexistent", PASS, strlen(PASS), MIB, &got), ERR_IO);
}

/* A header of somebody's disk is not ours: its key has another size. */
static void test_other_header(void **state)
{
	struct secret got;
	struct tempfile f;

	(void)state;
	tempfile_open(&f, 16 * MIB);
	tool(&f,
	     "echo -n '" PASS "' | cryptsetup -q luksFormat --key-size 256 --luks2-metadata-size "
	     "16k --luks2-keyslots-size 512k --offset 2048 " SHORT " %s -");
	assert_err(open_with(&f, PASS, &got), ERR_CORRUPT);
	tempfile_close(&f);
	/* Nor one with more keyslots than ours have room for, which would all be tried. */
	tempfile_open(&f, 16 * MIB);
	tool(&f,
	     "echo -n '" PASS "' | cryptsetup -q luksFormat --key-size 512 --luks2-metadata-size "
	     "16k --luks2-keyslots-size 2m --offset 8192 " SHORT " %s -");
	for (unsigned int i = 1; i < LUKS_KEYSLOTS; i++)
		tool(&f, "printf '" PASS "\nc\n' | cryptsetup -q luksAddKey " SHORT " %s");
	assert_ok(open_with(&f, PASS, &got));
	tool(&f, "printf '" PASS "\nc\n' | cryptsetup -q luksAddKey " SHORT " %s");
	assert_err(open_with(&f, PASS, &got), ERR_CORRUPT);
	tempfile_close(&f);
}

static void test_tools(void **state)
{
	char text[8192], command[512];
	struct secret s, got;
	unsigned int used;
	struct tempfile f;

	(void)state;
	make(&f, &s);
	tool(&f, "printf '" PASS "\\n" OTHER "\\n' | cryptsetup -q luksAddKey " SHORT " %s");
	assert_opens(&f, PASS);
	assert_opens(&f, OTHER);
	assert_ok(count(&f, &used));
	assert_int_equal(used, 2);
	snprintf(command, sizeof(command), "cryptsetup luksDump %s", f.path);
	assert_int_equal(run(command, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "dormouse"));
	assert_non_null(strstr(text, "argon2id"));
	tool(&f, "echo -n '" OTHER "' | cryptsetup open --test-passphrase %s -d -");
	/* Room for two more, and no others. */
	tool(&f, "printf '" PASS "\\nc\\n' | cryptsetup -q luksAddKey " SHORT " %s");
	tool(&f, "printf '" PASS "\\nd\\n' | cryptsetup -q luksAddKey " SHORT " %s");
	tool(&f, "! printf '" PASS "\\ne\\n' | cryptsetup -q luksAddKey " SHORT " %s 2>/dev/null");
	/* Without one, and without all. */
	tool(&f, "cryptsetup -q luksKillSlot %s 0 2>&1");
	assert_err(open_with(&f, PASS, &got), ERR_AUTH);
	assert_opens(&f, OTHER);
	tool(&f, "cryptsetup -q luksErase %s");
	assert_err(open_with(&f, OTHER, &got), ERR_REFUSED);
	assert_err(count(&f, &used), ERR_REFUSED);
	tempfile_close(&f);
}

/* A keyslot made on a larger machine is told of, and does not hide the others. */
static void test_memory(void **state)
{
	struct secret s, got;
	struct tempfile f;
	err_t e;

	(void)state;
	make(&f, &s); /* takes 64 KiB */
	tool(&f, "printf '" PASS "\n" OTHER "\n' | cryptsetup -q luksAddKey --pbkdf pbkdf2 "
		 "--pbkdf-force-iterations 1000 %s");
	e = luks_open_passphrase(f.path, PASS, strlen(PASS), 32 * KIB, &got);
	assert_non_null(e);
	assert_int_equal(err_kind(e), ERR_NOMEM);
	assert_non_null(strstr(err_text(e), "of memory"));
	err_free(e);
	assert_ok(luks_open_passphrase(f.path, OTHER, strlen(OTHER), 32 * KIB, &got));
	assert_memory_equal(&got, &s, sizeof(s));
	assert_true(luks_memory() > MIB);
	tempfile_close(&f);
}

/* As cryptsetup makes one when it is told of the memory alone: as many passes as take 2 seconds,
 * of 64 MiB on a desktop some 100. Here of less, to be quick. */
static void test_many_passes(void **state)
{
	struct secret s, got;
	struct tempfile f;

	(void)state;
	make(&f, &s);
	tool(&f, "printf '" PASS "\n" OTHER "\n' | cryptsetup -q luksAddKey --pbkdf argon2id "
		 "--pbkdf-memory 1024 --pbkdf-force-iterations 100 %s");
	assert_ok(open_with(&f, OTHER, &got));
	assert_memory_equal(&got, &s, sizeof(s));
	tempfile_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens),
		cmocka_unit_test(test_other_token),
		cmocka_unit_test(test_nothing_in_the_clear),
		cmocka_unit_test(test_many_public_keys),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_no_header),
		cmocka_unit_test(test_other_header),
		cmocka_unit_test(test_tools),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_many_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
