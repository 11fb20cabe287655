/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A jump that is not made: what is loaded has the image's key, and the boot may go on. Faults
 * planted, each found: it stays loaded after the jump failed, or after loading did; the jump
 * made although loading failed; the key kept by image_resume; the first error lost.
 */
#include "unit.h"

#include <stdbool.h>

static bool load_fails, unload_fails, has_key;
static unsigned int jumps, unloads;

#include "base/err.h"

static err_t fake_jump(void)
{
	assert_int_equal(unloads, 0);
	jumps++;
	return err_new(ERR_REFUSED, "no jump");
}

static err_t fake_unload(void)
{
	unloads++;
	return unload_fails ? err_new(ERR_IO, "no unloading") : NULL;
}

#include "jump/loader.h"
#define loader_jump   fake_jump
#define loader_unload fake_unload
#include "resume/images.c"

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

static void resume(enum err_kind kind, unsigned int wanted)
{
	struct image *image = calloc(1, sizeof(*image));
	struct options *o = calloc(1, sizeof(*o));
	void *unlocked;

	assert_true(image && o);
	assert_ok(locked_create(sizeof(*image->unlocked), &unlocked));
	image->unlocked = unlocked;
	image->commit = (struct commit){.slot.state = SLOT_VALID, .twin_good = true};
	jumps = unloads = 0;
	assert_err(image_resume(image, o), kind);
	assert_true(has_key);
	assert_null(image->unlocked);
	assert_int_equal(jumps, wanted);
	assert_int_equal(unloads, 1);
	free(image);
	free(o);
}

static void test_unloads(void **state)
{
	(void)state;
	resume(ERR_REFUSED, 1);
	unload_fails = true;
	resume(ERR_REFUSED, 1);
	load_fails = true;
	resume(ERR_NOMEM, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_unloads)};

	return cmocka_run_group_tests_name("images", tests, NULL, NULL);
}
