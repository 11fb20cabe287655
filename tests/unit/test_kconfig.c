/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: CONFIG_KEXEC found in CONFIG_KEXEC_CORE; found in
 * the middle of a line; "is not set" taken for y; m not taken for on.
 */
#include "unit.h"

#include "host/checks/kconfig.c"
#include "host/checks/unpack.c"

#define TEXT                                                                                       \
	"# Linux/x86 6.12.117 Kernel Configuration\n"                                              \
	"CONFIG_KEXEC_m=n\n"                                                                       \
	"CONFIG_KEXEC_CORE=y\n"                                                                    \
	"# CONFIG_KEXEC_JUMP is not set\n"                                                         \
	"X_CONFIG_KASAN=y\n"                                                                       \
	"CONFIG_I6300ESB_WDT=m\n"                                                                  \
	"CONFIG_CC_VERSION_TEXT=\"CONFIG_KMSAN=y\"\n"                                              \
	"CONFIG_NR_CPUS=64\n"                                                                      \
	"CONFIG_LAST=y"

static void test_text(void **state)
{
	struct kconfig kc = {0};

	(void)state;
	assert_ok(kconfig_from_text(TEXT, strlen(TEXT), &kc));
	assert_true(kconfig_enabled(&kc, "CONFIG_KEXEC_CORE"));
	assert_true(kconfig_enabled(&kc, "CONFIG_I6300ESB_WDT"));
	assert_true(kconfig_enabled(&kc, "CONFIG_LAST"));
	assert_false(kconfig_enabled(&kc, "CONFIG_KEXEC"));
	assert_false(kconfig_enabled(&kc, "CONFIG_KEXEC_JUMP"));
	assert_false(kconfig_enabled(&kc, "CONFIG_KASAN"));
	assert_false(kconfig_enabled(&kc, "CONFIG_KMSAN"));
	assert_false(kconfig_enabled(&kc, "CONFIG_NR_CPUS"));
	kconfig_free(&kc);
	assert_false(kconfig_enabled(&kc, "CONFIG_KEXEC_CORE"));
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void test_packed(void **state)
{
	char dir[] = "/tmp/test_kconfig.XXXXXX", path[64], command[128];
	struct kconfig kc = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/config", dir);
	write_file(path, TEXT);
	snprintf(command, sizeof(command), "gzip -n %s", path);
	assert_int_equal(system(command), 0);
	strcat(path, ".gz");
	assert_ok(load_packed(path, &kc));
	assert_true(kconfig_enabled(&kc, "CONFIG_LAST"));
	kconfig_free(&kc);

	/* Cut short: an error, not half a configuration. */
	assert_int_equal(truncate(path, 60), 0);
	assert_true(unit_is_err(load_packed(path, &kc)));
	assert_null(kc.text);
	unlink(path);
	rmdir(dir);
}

/* Of a kernel that has no file in /boot: the running kernel's own word, or none. */
static void test_running(void **state)
{
	struct kconfig kc = {0};

	(void)state;
	if (access("/proc/config.gz", R_OK)) {
		assert_err(kconfig_load("0.0.0-none", &kc), ERR_FORMAT);
		return;
	}
	assert_ok(kconfig_load("0.0.0-none", &kc));
	assert_true(kconfig_enabled(&kc, "CONFIG_X86_64"));
	kconfig_free(&kc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_running),
	};

	return cmocka_run_group_tests_name("kconfig", tests, NULL, NULL);
}
