/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: the mount's options read instead of the superblock's; a
 * bind mount counted twice; \040 not undone; tags before the dash miscounted.
 */
#include "unit.h"

#include "host/mounts.c"

#define TEXT                                                                                       \
	"22 27 0:21 / /proc rw,relatime - proc proc rw\n"                                          \
	"27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n"                         \
	"30 27 254:16 / /mnt/a\\040b ro,relatime shared:2 master:1 - xfs /dev/vdb rw,attr2\n"      \
	"31 27 254:0 /home /srv ro - ext4 /dev/vda rw\n"                                           \
	"32 27 7:0 / /snap rw - squashfs /dev/loop0 ro\n"                                          \
	"33 27 0:50 / /nfs rw - nfs4 server:/x rw\n"                                               \
	"34 27 0:51 / /bc rw - bcachefs /dev/sda:/dev/sdb rw\n"                                    \
	"not a line\n"                                                                             \
	"35 27 254:32 / /cut rw - ext4\n"

static void test_parse(void **state)
{
	struct mounts *m = calloc(1, sizeof(*m));
	dev_t dev;

	(void)state;
	assert_non_null(m);
	assert_ok(mounts_parse_take(strdup(TEXT), false, m));
	assert_int_equal(m->count, 5);
	assert_string_equal(m->m[0].type, "proc");
	assert_string_equal(m->m[1].path, "/");
	assert_string_equal(m->m[1].source, "/dev/vda");
	assert_int_equal(m->m[1].id, 27);
	assert_string_equal(m->m[2].path, "/mnt/a b");
	assert_string_equal(m->m[2].type, "xfs");
	assert_string_equal(m->m[3].type, "nfs4");

	assert_false(mounts_on_disk(&m->m[0], &dev));
	assert_true(mounts_on_disk(&m->m[1], &dev));
	assert_true(dev == makedev(254, 0));
	assert_true(mounts_on_disk(&m->m[2], &dev));
	assert_false(mounts_on_disk(&m->m[3], &dev));
	assert_true(mounts_on_disk(&m->m[4], &dev));
	mounts_free(m);
	assert_ok(mounts_parse_take(strdup(TEXT), true, m));
	assert_int_equal(m->count, 6);
	assert_string_equal(m->m[3].type, "squashfs");
	assert_false(m->m[3].writable);
	assert_true(m->m[4].writable);
	mounts_free(m);
	free(m);
}

static void test_here(void **state)
{
	struct mounts *m = calloc(1, sizeof(*m));

	(void)state;
	assert_non_null(m);
	assert_ok(mounts_read(m));
	mounts_free(m);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_here),
	};

	return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
