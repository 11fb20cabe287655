/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What follows from one wrong read of an image, and from a target that cannot be read. Faults
 * planted, each found: an image given up after one look; one that was whole only at the second
 * look resumed unasked; damage on the medium taken for doubt; a target that cannot be read left
 * out, or one that is not there asked about; one written to as long as nobody knows what it is;
 * an image given up for its keyslots; what was typed for the partition not tried, or kept; the
 * key left loaded after loading failed, or kept by image_load, or the first error lost.
 */
#include "testmachine.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Reads at this place: so many have a wrong bit, then so many fail. */
static struct {
	uint64_t at;
	unsigned int wrong, errors;
} bad;

ssize_t pread(int fd, void *buf, size_t n, off_t offset)
{
	ssize_t got = syscall(SYS_pread64, fd, buf, n, offset);

	if (!bad.at || (uint64_t)offset != bad.at)
		return got;
	if (bad.wrong) {
		bad.wrong--;
		((uint8_t *)buf)[30] ^= 4;
	} else if (bad.errors) {
		bad.errors--;
		errno = EIO;
		return -1;
	}
	return got;
}

static bool load_fails, unload_fails, has_key;
static unsigned int unloads;

static err_t fake_unload(void)
{
	unloads++;
	return unload_fails ? err_new(ERR_IO, "no unloading") : NULL;
}

#include "jump/loader.h"
#define loader_unload fake_unload
#include "resume/images.c"
#include "resume/verdict.c"

#include "image/sealing.h"
#include "keys/seal.h"

static struct machine m;
static struct secret secret;
static int found[4]; /* kinds of errors of finding, or -1; one after the other */
static unsigned int looks;
static bool there, keyslots_damaged;
static struct passphrase *typed; /* at the partition that it is in */

err_t fit_check(const struct target *target, const struct slot *slot, const struct image_keys *keys,
		const char *writer_dir, struct hostinfo *info, struct writer_files *writer)
{
	(void)writer_dir, (void)writer;
	TRY(image_read_header(target, slot, keys, info));
	if (slot_is_sealed(slot) && !keys)
		return NULL;
	return image_check_index(target, slot, keys, info);
}

err_t imagekey_check(const struct target *t, const struct slot *slot, const struct options *o)
{
	(void)t, (void)slot, (void)o;
	return NULL;
}

err_t imagekey_get(const struct target *t, const struct slot *slot, const struct options *o,
		   struct passphrase *known, uint8_t image_key[IMAGE_KEY_BYTES], bool *again,
		   bool *person)
{
	(void)t, (void)o;
	assert_ptr_equal(known, typed);
	*again = false;
	*person = true;
	if (keyslots_damaged)
		return err_new(ERR_CORRUPT, "the keyslots are damaged");
	return seal_open(&secret, slot->nonce, m.seal->block, false, image_key);
}

err_t extfile_check(const struct disk_where *where, const struct pin *pin, const char *disk)
{
	(void)where, (void)pin, (void)disk;
	return NULL;
}

err_t find_image(const struct options *o, unsigned int i, struct image *out)
{
	int kind = found[looks++];

	(void)o;
	memset(out, 0, sizeof(*out));
	out->number = i;
	out->target.fd = -1;
	return kind < 0 ? NULL : err_new((enum err_kind)kind, "planted");
}

err_t find_in_luks(struct image *image, const char *path)
{
	(void)image, (void)path;
	return err_new(ERR_IO, "no LUKS here");
}

bool waiting_is_there(const struct options *o, unsigned int i)
{
	(void)o, (void)i;
	return there;
}

void waiting_for_targets(const struct options *o)
{
	(void)o;
}

err_t launch_load(const struct target *target, const struct luksimage *luks,
		  const struct slot *slot, const struct hostinfo *info, const uint8_t *image_key,
		  const struct writer_files *writer, const char *cmdline,
		  const struct tsc_sample *started)
{
	(void)target, (void)luks, (void)slot, (void)info, (void)writer, (void)cmdline,
		(void)started;
	has_key = image_key != NULL;
	return load_fails ? err_new(ERR_NOMEM, "no load") : NULL;
}

err_t luksimage_open(struct luksimage *l, char *path, bool *person)
{
	(void)l, (void)path, (void)person;
	return err_new(ERR_IO, "no LUKS here");
}

void luksimage_forget(struct luksimage *l)
{
	if (l)
		l->typed = NULL;
}

void luksimage_close(struct luksimage *l)
{
	(void)l;
}

err_t luksimage_skip(struct luksimage *l)
{
	(void)l;
	return NULL;
}

err_t luksimage_discard(struct luksimage *l)
{
	(void)l;
	return NULL;
}

void luksimage_destroy(struct luksimage *l, bool unmark)
{
	assert_null(l);
	(void)unmark;
}

static int setup(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	memset(&bad, 0, sizeof(bad));
	machine_init(&m, 4, FAKE_ZERO, RUNS, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_deinit(&m);
	return 0;
}

/* A boot that finds it VALID. */
static struct image image_of_machine(void)
{
	struct image image = {.target = m.t, .commit = {.slot = m.slot, .twin_good = true}};

	image.commit.slot.state = SLOT_VALID;
	return image;
}

static void judges(struct image *image, enum outcome outcome, bool may_try)
{
	const struct options o = {.encrypt = false};

	image_judge(image, &o);
	assert_int_equal(image->verdict.outcome, outcome);
	assert_int_equal(image->verdict.may_try, may_try);
}

/* Header and index, each read wrongly once, and for good. */
static void test_wrong_read(void **state)
{
	uint64_t places[2];

	(void)state;
	assert_ok(write_image(&m, &usual, NULL));
	places[0] = m.slot.header.offset;
	places[1] = m.slot.directory.offset;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct image image = image_of_machine();

		judges(&image, OUTCOME_RESUME, true);
		bad.at = places[i];
		bad.wrong = 1;
		judges(&image, OUTCOME_ASK, true);
		assert_non_null(strstr(image.verdict.text, "read twice"));
		assert_true(image.has_host);
		judges(&image, OUTCOME_RESUME, true); /* who says "try" tries this */
		bad.wrong = 1;
		bad.errors = 2;
		judges(&image, OUTCOME_ASK, false);
		bad.errors = 0;
		bad.wrong = 1000;
		judges(&image, OUTCOME_DAMAGED, false);
		bad.wrong = 0;
		tempfile_flip(&m.file, places[i] + 30, 1);
		judges(&image, OUTCOME_DAMAGED, false);
		tempfile_flip(&m.file, places[i] + 30, 1);
	}
}

/* The same of what only its key lets look at. */
static void test_sealed(void **state)
{
	struct seal_recipient to = {.authenticated = false};
	const struct options o = {.encrypt = true};
	struct image_seal seal;
	struct image image;

	(void)state;
	assert_ok(secret_create(&secret));
	assert_ok(secret_public(&secret, to.public_key));
	assert_ok(sealing_make(&seal, cipher_by_name("aes-256-gcm"), &to, nonce));
	m.seal = &seal;
	assert_ok(write_image(&m, &usual, NULL));
	image = image_of_machine();
	judges(&image, OUTCOME_RESUME, true);
	bad.at = m.slot.directory.offset;
	bad.wrong = 1;
	assert_false(image_unlock(&image, &o));
	assert_null(image.unlocked);
	assert_int_equal(image.verdict.outcome, OUTCOME_ASK);
	assert_true(image.verdict.may_try && image.verdict.person);
	judges(&image, OUTCOME_RESUME, true);
	assert_true(image_unlock(&image, &o));
	bad.wrong = 1000;
	assert_false(image_unlock(&image, &o));
	assert_int_equal(image.verdict.outcome, OUTCOME_DAMAGED);
	/* Its copy of the keyslots may be found elsewhere: nothing is lost. */
	judges(&image, OUTCOME_RESUME, true);
	keyslots_damaged = true;
	assert_false(image_unlock(&image, &o));
	keyslots_damaged = false;
	assert_int_equal(image.verdict.outcome, OUTCOME_ASK);
	assert_false(image.verdict.may_try);
	assert_true(verdict_waits(&image.verdict, &image.commit, CONFIG_RESUME_DISCARD));
}

/* What opened the LUKS partition is tried on the image in it, and not kept. */
static void test_typed(void **state)
{
	struct seal_recipient to = {.authenticated = false};
	const struct options o = {.encrypt = true};
	struct luksimage luks = {.o = &o};
	struct passphrase p = {.n = 1};
	struct image_seal seal;
	struct image image;

	(void)state;
	assert_ok(secret_create(&secret));
	assert_ok(secret_public(&secret, to.public_key));
	assert_ok(sealing_make(&seal, cipher_by_name("chacha20-poly1305"), &to, nonce));
	m.seal = &seal;
	assert_ok(write_image(&m, &usual, NULL));
	image = image_of_machine();
	image.luks = &luks;
	luks.typed = typed = &p;
	assert_true(image_unlock(&image, &o));
	typed = NULL;
	assert_null(luks.typed);
	/* Nor where it is of no use. */
	luks.typed = &p;
	image.commit.slot.features_incompat = 0;
	assert_true(image_unlock(&image, &o));
	assert_null(luks.typed);
}

static struct images all;

static void opens(int kind, bool is_there, size_t count, bool failed, bool refused)
{
	static struct options o;

	strcpy(o.targets[0], "/dev/vdb");
	o.target_count = 1;
	found[0] = kind;
	there = is_there;
	looks = 0;
	images_open(&all, &o);
	assert_int_equal(all.count, count);
	assert_int_equal(all.failed, failed);
	assert_int_equal(all.refused, refused);
}

static void test_unknown(void **state)
{
	struct options o = {.target_count = 1};

	(void)state;
	strcpy(o.targets[0], "/dev/vdb");
	opens(ERR_FORMAT, true, 0, false, false);
	opens(ERR_CORRUPT, true, 0, false, true);
	opens(ERR_UNSUPPORTED, true, 0, false, true);
	opens(ERR_IO, false, 0, true, false);
	opens(ERR_INVALID, false, 0, true, false);
	opens(ERR_REFUSED, true, 1, false, false);
	opens(ERR_IO, true, 1, false, false);
	assert_true(image_is_unknown(&all.list[0]));
	assert_int_equal(all.list[0].verdict.outcome, OUTCOME_UNKNOWN);
	assert_string_equal(all.list[0].target.name, "/dev/vdb");
	assert_err(image_give_up(&all.list[0], "no"), ERR_REFUSED);
	assert_false(image_count(&all.list[0]));
	image_mark(&all.list[0]);
	/* It still cannot be read; then there is nothing. */
	found[1] = ERR_IO;
	found[2] = ERR_FORMAT;
	image_judge(&all.list[0], &o);
	assert_int_equal(all.list[0].verdict.outcome, OUTCOME_UNKNOWN);
	image_judge(&all.list[0], &o);
	assert_int_equal(all.list[0].verdict.outcome, OUTCOME_NOTHING);
	assert_false(image_is_unknown(&all.list[0]));
	images_close(&all);
	/* Or what can be read. */
	opens(ERR_IO, true, 1, false, false);
	found[1] = -1;
	assert_true(image_open(&all.list[0], &o));
	assert_false(all.list[0].closed);
	images_close(&all);
}

/* How often it was unloaded. */
static unsigned int load(int kind)
{
	struct image *image = calloc(1, sizeof(*image));
	struct options *o = calloc(1, sizeof(*o));
	void *unlocked;

	assert_true(image && o);
	assert_ok(locked_create(sizeof(*image->unlocked), &unlocked));
	image->unlocked = unlocked;
	image->commit = (struct commit){.slot.state = SLOT_VALID, .twin_good = true};
	unloads = 0;
	load_fails = kind >= 0;
	if (load_fails)
		assert_err(image_load(image, o), (enum err_kind)kind);
	else
		assert_ok(image_load(image, o));
	assert_true(has_key);
	assert_null(image->unlocked);
	free(image);
	free(o);
	return unloads;
}

static void test_unloads(void **state)
{
	(void)state;
	assert_int_equal(load(-1), 0);
	assert_int_equal(load(ERR_NOMEM), 1);
	unload_fails = true;
	assert_int_equal(load(ERR_NOMEM), 1);
}

#define IMAGES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IMAGES_TEST(test_wrong_read),	IMAGES_TEST(test_sealed),
		IMAGES_TEST(test_typed),	cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_unloads),
	};

	return cmocka_run_group_tests_name("images", tests, NULL, NULL);
}
