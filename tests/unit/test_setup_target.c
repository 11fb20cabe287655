/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which swap area setup takes when no target is configured; the machine is made up. Faults
 * planted, each found: the first one that can be taken instead of the largest; the largest
 * taken, though it cannot be one; one beneath dm-crypt taken for images in the clear; one that is
 * too small taken; of one that cannot be a target the reason not told.
 */
#include "unit.h"

#include "host/setup/setup_target.c"

#define SEVERAL "it lies on more than one disk"

static struct {
	struct swaps swaps;
	const char *several;   /* the area that lies on several disks */
	const char *encrypted; /* beneath dm-crypt */
} machine;

err_t swaps_read(struct swaps *out)
{
	*out = machine.swaps;
	return NULL;
}

err_t location_find(const char *name, struct location *out)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "%s", name);
	if (machine.several && !strcmp(name, machine.several))
		return err_new(ERR_REFUSED, "%s: " SEVERAL, name);
	out->disk.encrypted = machine.encrypted && !strcmp(name, machine.encrypted);
	out->kind = LOCATION_SWAP;
	return NULL;
}

void location_deinit(struct location *l)
{
	l->kind = LOCATION_NONE;
}

bool location_is_located(const struct location *l)
{
	return l->kind == LOCATION_SWAP;
}

const char *location_what(const struct location *l)
{
	(void)l;
	return "a swap area in use";
}

err_t stablename_of(const char *path, char *out, size_t n)
{
	snprintf(out, n, "%s", path);
	return NULL;
}

err_t machine_describe(struct hostinfo *out)
{
	(void)out;
	return NULL;
}

err_t preflight_meminfo(struct preflight *p)
{
	p->mem_free = 1;
	return NULL;
}

/* 1000 MiB, of all memory. */
uint64_t imagesize_worst(const struct preflight *p)
{
	assert_int_equal(p->mem_free, 0);
	return 1000 * MIB;
}

/* Files and old images are of no account here. */
err_t stale_retire(const char *name, bool *untouched)
{
	(void)name, (void)untouched;
	return err_new(ERR_IO, "not here");
}

err_t targetfile_create(const char *path, uint64_t bytes)
{
	(void)path, (void)bytes;
	return err_new(ERR_IO, "not here");
}

err_t targetfile_clear(const char *path)
{
	(void)path;
	return err_new(ERR_IO, "not here");
}

err_t location_pin(const struct location *l, const struct pins *before, struct pins *pins)
{
	(void)l, (void)before, (void)pins;
	return err_new(ERR_IO, "not here");
}

err_t targetfile_check_empty(const char *path)
{
	(void)path;
	return err_new(ERR_IO, "not here");
}

static void area(const char *path, unsigned int mib)
{
	struct swap *s = &machine.swaps.list[machine.swaps.count++];

	snprintf(s->path, sizeof(s->path), "%s", path);
	s->bytes = mib * MIB;
}

static int make(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	return 0;
}

/* The name of what is taken, or the error's text. */
static const char *chosen(bool encrypt)
{
	static struct config config;
	static struct pins pins;
	static char text[1024];
	err_t e;

	memset(&config, 0, sizeof(config));
	config.encrypt = encrypt;
	e = setup_target_choose(&pins, &config);
	snprintf(text, sizeof(text), "%s", e ? err_text(e) : config.target);
	if (e)
		assert_int_equal(err_kind(e), ERR_REFUSED);
	err_free(e);
	return text;
}

static void test_largest(void **state)
{
	(void)state;
	area("/dev/sda2", 1200);
	area("/dev/sdb2", 3000);
	area("/dev/sdc2", 2000);
	assert_string_equal(chosen(true), "/dev/sdb2");
	machine.several = "/dev/sdb2"; /* then the next */
	assert_string_equal(chosen(true), "/dev/sdc2");
	machine.several = "/dev/sda2"; /* the first in the list says nothing of the others */
	assert_string_equal(chosen(true), "/dev/sdb2");
}

static void test_encrypted(void **state)
{
	(void)state;
	area("/dev/sda2", 1200);
	area("/dev/dm-1", 3000);
	machine.encrypted = "/dev/dm-1";
	assert_string_equal(chosen(true), "/dev/dm-1");
	assert_string_equal(chosen(false), "/dev/sda2");
}

static void test_none(void **state)
{
	(void)state;
	assert_non_null(strstr(chosen(true), "there is no swap"));
	area("/dev/sda2", 1063); /* of which 64 are left free */
	assert_non_null(strstr(chosen(true), "and no swap area is large enough (1064 MiB"));
	area("/dev/dm-1", 3000);
	machine.several = "/dev/dm-1";
	assert_non_null(
		strstr(chosen(true), "/dev/dm-1: " SEVERAL ", and no other swap area is large"));
	machine.swaps.count = 0;
	area("/dev/dm-1", 3000);
	assert_non_null(strstr(chosen(true), "/dev/dm-1: " SEVERAL " (1000 MiB"));
	machine.swaps.count = 0;
	area("/dev/sda2", 1064); /* just enough */
	assert_string_equal(chosen(true), "/dev/sda2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_largest, make),
		cmocka_unit_test_setup(test_encrypted, make),
		cmocka_unit_test_setup(test_none, make),
	};

	return cmocka_run_group_tests_name("setup_target", tests, NULL, NULL);
}
