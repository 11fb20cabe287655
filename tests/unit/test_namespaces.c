/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: filesystems compared by their place; what is in memory counted.
 */
#include "unit.h"

#include "host/disks/mounts.c"
#include "host/disks/namespaces.c"

#define OURS                                                                                       \
	"27 1 254:0 / / rw - ext4 /dev/vda rw\n"                                                   \
	"30 27 254:16 / /mnt rw - xfs /dev/vdb ro\n"                                               \
	"31 27 0:40 / /data rw - btrfs /dev/vdc rw\n"
#define THEIRS                                                                                     \
	"127 1 254:0 / /elsewhere rw - ext4 /dev/vda rw\n"                                         \
	"128 127 0:77 / /run rw - tmpfs tmpfs rw\n"                                                \
	"129 127 0:40 /sub /sub rw - btrfs /dev/vdc rw\n"                                          \
	"130 127 254:48 / /ro ro - ext4 /dev/vdd ro\n"

static struct mounts *parsed(const char *text, bool all)
{
	struct mounts *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	assert_ok(mounts_parse_take(strdup(text), all, m));
	return m;
}

static void done(struct mounts *m)
{
	mounts_free(m);
	free(m);
}

static void test_alone(void **state)
{
	struct mounts *ours = parsed(OURS, true), *same = parsed(THEIRS, false);
	struct mounts *more = parsed(THEIRS "131 127 254:32 / /mnt rw - ext4 /dev/vde rw\n", false);
	struct mounts *again = parsed(THEIRS "131 127 254:16 / /mnt rw - xfs /dev/vdb rw\n", false);

	(void)state;
	assert_null(namespaces_alone(same, ours));
	assert_non_null(namespaces_alone(more, ours));
	assert_string_equal(namespaces_alone(more, ours)->source, "/dev/vde");
	assert_null(namespaces_alone(again, ours));
	done(ours);
	done(same);
	done(more);
	done(again);
}

static void test_here(void **state)
{
	struct mounts *ours = calloc(1, sizeof(*ours));
	ino_t namespace;

	(void)state;
	assert_non_null(ours);
	assert_ok(namespace_of("/proc/self", &namespace));
	assert_true(namespace != 0);
	assert_ok(namespace_of("/proc/0", &namespace));
	assert_true(namespace == 0);
	assert_ok(mounts_read_all(ours));
	assert_null(namespaces_alone(ours, ours));
	done(ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_here),
	};

	return cmocka_run_group_tests_name("namespaces", tests, NULL, NULL);
}
