/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: the mount's root left out; /homes taken to be in /home; \040
 * not undone; the first mount taken instead of the one with the id.
 */
#include "unit.h"

#include "host/disks/fspath.c"

#define TEXT                                                                                       \
	"27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"                                 \
	"30 27 254:1 / /home rw - ext4 /dev/vdb rw\n"                                              \
	"31 27 254:1 /a\\040b/c /mnt/x\\040y rw - ext4 /dev/vdb rw\n"

static err_t by(unsigned long long id, const char *real, char *out, size_t n)
{
	char text[] = TEXT;

	return fspath_by(text, id, real, out, n);
}

static void test_by(void **state)
{
	char out[64];

	(void)state;
	assert_ok(by(27, "/var/img", out, sizeof(out)));
	assert_string_equal(out, "/var/img");
	assert_ok(by(30, "/home/me/img", out, sizeof(out)));
	assert_string_equal(out, "/me/img");
	assert_ok(by(31, "/mnt/x y/img", out, sizeof(out)));
	assert_string_equal(out, "/a b/c/img");
	assert_err(by(30, "/homes/img", out, sizeof(out)), ERR_REFUSED);
	assert_err(by(32, "/img", out, sizeof(out)), ERR_REFUSED);
	assert_err(by(27, "/var/img", out, 8), ERR_REFUSED);
	assert_ok(by(27, "/var/img", out, 9));
}

static void test_here(void **state)
{
	char out[4096];
	int fd = open("/proc/self/mountinfo", O_RDONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_ok(fspath_of(fd, "/proc/self/mountinfo", out, sizeof(out)));
	assert_non_null(strstr(out, "/mountinfo"));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by),
		cmocka_unit_test(test_here),
	};

	return cmocka_run_group_tests_name("fspath", tests, NULL, NULL);
}
