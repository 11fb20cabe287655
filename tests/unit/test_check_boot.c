/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an initramfs has is made up. Planted faults that made it fail: a target that only the
 * command line names taken for one of the configuration's; the initramfs' targets compared one
 * way only; pins not asked where nothing is configured; a configuration that cannot be read
 * taken for one without targets; --then return refused, or let pass without a word; noresume
 * overlooked; dormouse.target taken for one name, or its beginning enough.
 */
#include "unit.h"

#include "host/checks/check_boot.c"
#include "host/checks/finding.c"

static struct initramfs in_initramfs;
static struct config config;
static struct preflight p;

err_t initramfs_scan_cached(const char *path, const char *dir, struct initramfs *out)
{
	(void)path;
	(void)dir;
	*out = in_initramfs;
	return NULL;
}

void preflight_initramfs(const struct preflight *unused, char *path, size_t n)
{
	(void)unused;
	snprintf(path, n, "/boot/initrd.img");
}

static int begin(void **state)
{
	(void)state;
	config_init(&config);
	p = (struct preflight){.config = &config};
	in_initramfs = (struct initramfs){.config = true};
	return 0;
}

static void boot_looks_at(const char *name)
{
	strcpy(in_initramfs.targets[in_initramfs.target_count++], name);
}

static void pinned(const char *name)
{
	struct pin pin = {.kind = PIN_HEAD, .disk_bytes = 512};

	strcpy(pin.target, name);
	assert_ok(pins_set(&p.pins, &pin));
}

static void expect_targets(enum finding_level level, const char *text)
{
	struct finding f = {0};

	check_boot_targets(&p, &f);
	if (f.level != level || !strstr(f.text, text))
		fail_msg("level %d, \"%s\"", f.level, f.text);
}

static void test_listed(void **state)
{
	(void)state;
	assert_ok(config_add_target(&config, "/dev/a"));
	assert_ok(config_add_target(&config, "/img"));
	boot_looks_at("/img");
	expect_targets(FINDING_REFUSE, "other targets");
	boot_looks_at("/dev/a");
	pinned("/img"); /* which are not all */
	expect_targets(FINDING_OK, "");
	assert_ok(config_use_target(&config, "/img"));
	expect_targets(FINDING_OK, "");
	boot_looks_at("/dev/old");
	expect_targets(FINDING_REFUSE, "other targets");
}

/* hibernate --target */
static void test_unlisted(void **state)
{
	(void)state;
	assert_ok(config_add_target(&config, "/dev/a"));
	assert_ok(config_use_target(&config, "/dev/b"));
	boot_looks_at("/dev/a");
	expect_targets(FINDING_REFUSE, "say \"target = /dev/b\"");
	config.then = CONFIG_RETURN;
	expect_targets(FINDING_WARN, "say \"target = /dev/b\"");
}

static void test_pins_only(void **state)
{
	(void)state;
	pinned("/img");
	boot_looks_at("/img");
	assert_ok(pins_add_targets(&p.pins, &config));
	expect_targets(FINDING_OK, "");
	config_init(&config);
	assert_ok(config_use_target(&config, "/img"));
	expect_targets(FINDING_OK, "");
	config_init(&config);
	assert_ok(config_use_target(&config, "/dev/b"));
	expect_targets(FINDING_REFUSE, "say \"target = /dev/b\"");
}

static void test_bad_config(void **state)
{
	(void)state;
	in_initramfs.config = false;
	expect_targets(FINDING_REFUSE, "cannot be read");
}

static void expect_cmdline(const char *cmdline, enum finding_level level, const char *text)
{
	struct finding f = {0};

	strcpy(p.cmdline, cmdline);
	check_boot_cmdline(&p, &f);
	if (f.level != level || !strstr(f.text, text))
		fail_msg("%s: level %d, \"%s\"", cmdline, f.level, f.text);
}

static void test_cmdline(void **state)
{
	(void)state;
	assert_ok(config_add_target(&config, "/dev/vdb1"));
	expect_cmdline("quiet resume=/dev/sda2 -- noresume", FINDING_OK, "");
	expect_cmdline("quiet noresume", FINDING_WARN, "\"noresume\"");
	expect_cmdline("dormouse.noresume=1 quiet", FINDING_WARN, "\"dormouse.noresume\"");
	expect_cmdline("dormouse.target=/dev/vda,/dev/vdb1", FINDING_OK, "");
	expect_cmdline("dormouse.target=/dev/vda,/dev/vdb", FINDING_WARN, "not look at /dev/vdb1");
	expect_cmdline("dormouse.target=", FINDING_OK, "");
	config.then = CONFIG_RETURN;
	expect_cmdline("quiet noresume", FINDING_OK, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_listed, begin),
		cmocka_unit_test_setup(test_unlisted, begin),
		cmocka_unit_test_setup(test_pins_only, begin),
		cmocka_unit_test_setup(test_bad_config, begin),
		cmocka_unit_test_setup(test_cmdline, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
