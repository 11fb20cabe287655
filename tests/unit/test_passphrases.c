/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What opens keyslots, one after the other: a token, the key file, a person. Faults planted,
 * each found: two tries, or four; a right passphrase asked for once more; a token tried where
 * another thing than the secret is wanted; a token that fails taken for none, or one
 * that costs too much ending it all; a key file that
 * opens nothing ending it all; an error that no passphrase mends asked about again; nothing
 * typed taken for a wrong passphrase; nobody there taken for a person; a known passphrase not
 * tried, or taken for the last word; what was typed not kept, or a wrong one kept.
 */
#include "unit.h"

#include "base/util.h"
#include "resume/passphrases.h"
#include "tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define OPENED (-1)

/* Kinds of errors, or OPENED, of the program for each of these; and what came of it. */
static struct {
	int token, file, known, typed[4];
	bool empty, nobody, no_console;
	unsigned int tokens, files, knowns, asked, runs;
	char prompt[512];
} door;

static int fake_open(const char *path, int flags)
{
	(void)flags;
	assert_string_equal(path, "/dev/console");
	errno = ENOENT;
	return door.no_console ? -1 : open("/dev/null", O_RDWR);
}

static err_t fake_ask(int in, int out, const char *prompt, struct passphrase *p)
{
	assert_int_equal(in, out);
	assert_true(door.asked < ARRAY_LEN(door.typed));
	door.asked++;
	snprintf(door.prompt, sizeof(door.prompt), "%s", prompt);
	p->n = door.empty ? 0 : 5;
	memcpy(p->text, "typed", 5);
	return door.nobody ? err_new(ERR_IO, "nobody") : NULL;
}

err_t opener_run(const struct opener *o, const struct passphrase *p, void *out)
{
	int kind;

	door.runs++;
	if (!p) {
		assert_string_equal(o->option, OPENER_TOKEN);
		door.tokens++;
		kind = door.token;
	} else if (!memcmp(p->text, "file!", 5)) {
		door.files++;
		kind = door.file;
	} else if (!memcmp(p->text, "known", 5)) {
		assert_int_equal(p->n, 5);
		door.knowns++;
		kind = door.known;
	} else {
		kind = door.typed[door.asked - 1];
	}
	if (kind != OPENED)
		return err_new((enum err_kind)kind, "planted");
	memset(out, 7, o->bytes);
	return NULL;
}

#define open	       fake_open
#define passphrase_ask fake_ask
#include "resume/passphrases.c"
#undef open

/* No token, no key file, and nobody who knows the passphrase. */
static void door_init(struct options *o)
{
	memset(o, 0, sizeof(*o));
	memset(&door, 0, sizeof(door));
	door.token = ERR_REFUSED;
	door.file = door.known = ERR_AUTH;
	for (size_t i = 0; i < ARRAY_LEN(door.typed); i++)
		door.typed[i] = ERR_AUTH;
}

static struct passphrase *known; /* what passphrases_try is given */

/* kind: of the error, or OPENED. */
static void try(const struct options *o, const char *option, int kind, bool somebody)
{
	struct opener want = {.option = option, .bytes = 8};
	uint8_t out[8] = {0};
	bool person = !somebody;
	err_t e = passphrases_try(o, &want, "the image on X", known, out, &person);

	if (kind == OPENED)
		assert_ok(e);
	else
		assert_err(e, (enum err_kind)kind);
	assert_int_equal(out[7], kind == OPENED ? 7 : 0);
	assert_int_equal(person, somebody);
}

static void test_three_tries(void **state)
{
	struct options o;

	(void)state;
	for (unsigned int right = 0; right < 4; right++) {
		door_init(&o);
		door.typed[right] = OPENED;
		try(&o, NULL, right < 3 ? OPENED : ERR_AUTH, true);
		assert_int_equal(door.asked, right < 3 ? right + 1 : 3);
		assert_int_equal(door.tokens, 1);
		assert_non_null(strstr(door.prompt, "the image on X"));
	}
}

static void test_token(void **state)
{
	struct options o;

	(void)state;
	door_init(&o);
	door.token = OPENED;
	try(&o, NULL, OPENED, false);
	assert_int_equal(door.asked, 0);
	door_init(&o);
	door.token = ERR_CORRUPT;
	try(&o, NULL, ERR_CORRUPT, false);
	assert_int_equal(door.asked, 0);
	door_init(&o); /* it costs too much, as another's may: a passphrase is asked for */
	door.token = ERR_NOMEM;
	door.typed[0] = OPENED;
	try(&o, NULL, OPENED, true);
	door_init(&o); /* the key of a partition: a token is of the secret's header */
	door.token = OPENED;
	door.typed[0] = OPENED;
	try(&o, OPENER_VOLUME, OPENED, true);
	assert_int_equal(door.tokens, 0);
	assert_int_equal(door.asked, 1);
}

static void test_key_file(void **state)
{
	struct options o;
	struct tempfile f;

	(void)state;
	tempfile_open(&f, 0);
	assert_int_equal(pwrite(f.fd, "file!", 5, 0), 5);
	door_init(&o);
	strcpy(o.key_file, f.path);
	door.file = OPENED;
	try(&o, NULL, OPENED, false);
	assert_int_equal(door.asked, 0);
	door_init(&o);
	strcpy(o.key_file, f.path);
	door.typed[1] = OPENED;
	try(&o, NULL, OPENED, true);
	assert_int_equal(door.files, 1);
	assert_int_equal(door.asked, 2);
	tempfile_close(&f);
	door.asked = 0; /* its stick is not plugged in */
	try(&o, NULL, OPENED, true);
	assert_int_equal(door.files, 1);
}

/* Nothing that another passphrase would mend, and nobody to type one. */
static void test_ends(void **state)
{
	struct options o;

	(void)state;
	door_init(&o);
	door.typed[1] = ERR_IO;
	try(&o, NULL, ERR_IO, true);
	assert_int_equal(door.asked, 2);
	door_init(&o);
	door.empty = true;
	try(&o, NULL, ERR_ABORTED, true);
	assert_int_equal(door.runs, 1);
	door_init(&o);
	door.nobody = true;
	try(&o, NULL, ERR_IO, false);
	assert_int_equal(door.asked, 1);
	door_init(&o);
	door.no_console = true;
	try(&o, NULL, ERR_IO, false);
	door_init(&o);
	for (size_t i = 0; i < ARRAY_LEN(door.typed); i++)
		door.typed[i] = ERR_NOMEM;
	try(&o, NULL, ERR_NOMEM, true);
	assert_int_equal(door.asked, 3);
}

/* It opened something else just now: most people have one for both. */
static void test_known(void **state)
{
	static struct passphrase p;
	struct options o;

	(void)state;
	known = &p;
	door_init(&o);
	door.typed[1] = OPENED;
	try(&o, NULL, OPENED, true); /* nothing is known yet */
	assert_int_equal(door.asked, 2);
	assert_null(strstr(door.prompt, "not the one"));
	assert_int_equal(p.n, 5);
	assert_memory_equal(p.text, "typed", 5);
	memcpy(p.text, "known", 5);
	door_init(&o);
	door.known = OPENED;
	try(&o, NULL, OPENED, false);
	assert_int_equal(door.knowns, 1);
	assert_int_equal(door.asked, 0);
	door_init(&o); /* it is another one */
	door.typed[0] = OPENED;
	try(&o, NULL, OPENED, true);
	assert_int_equal(door.knowns, 1);
	assert_int_equal(door.asked, 1);
	assert_non_null(strstr(door.prompt, "not the one that was typed before"));
	assert_memory_equal(p.text, "typed", 5);
	memcpy(p.text, "known", 5);
	door_init(&o);
	door.known = ERR_CORRUPT;
	try(&o, NULL, ERR_CORRUPT, false);
	assert_int_equal(door.asked, 0);
	door_init(&o);
	try(&o, NULL, ERR_AUTH, true);
	assert_memory_equal(p.text, "known", 5);
	known = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_tries), cmocka_unit_test(test_token),
		cmocka_unit_test(test_key_file),    cmocka_unit_test(test_ends),
		cmocka_unit_test(test_known),
	};

	return cmocka_run_group_tests_name("passphrases", tests, NULL, NULL);
}
