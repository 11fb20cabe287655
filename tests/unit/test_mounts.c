/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: the mount's options read instead of the superblock's; a
 * bind mount not known as one, or left out; what lies in memory counted; \040 not undone; tags
 * before the dash miscounted; a source looked at that is a folder.
 */
#include "unit.h"

#include <sys/stat.h>

static int seen_stat(const char *path, struct stat *st);

#define stat(path, st) seen_stat(path, st)
#include "host/disks/mounts.c"
#undef stat

#define TEXT                                                                                       \
	"22 27 0:21 / /proc rw,relatime - proc proc rw\n"                                          \
	"27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n"                         \
	"30 27 254:16 / /mnt/a\\040b ro,relatime shared:2 master:1 - xfs /dev/vdb rw,attr2\n"      \
	"31 27 254:0 /home /srv ro - ext4 /dev/vda rw\n"                                           \
	"32 27 7:0 / /snap rw - squashfs /dev/loop0 ro\n"                                          \
	"33 27 0:50 / /nfs rw - nfs4 server:/x rw\n"                                               \
	"34 27 0:51 / /bc rw - bcachefs /dev/sda:/dev/sdb rw\n"                                    \
	"36 27 0:52 / /tank rw - zfs tank rw\n"                                                    \
	"not a line\n"                                                                             \
	"35 27 254:32 / /cut rw - ext4\n"

static int looked;

static int seen_stat(const char *path, struct stat *st)
{
	if (strncmp(path, "/dev/", 5))
		fail_msg("%s is looked at", path);
	looked++;
	return stat(path, st);
}

static void test_parse(void **state)
{
	struct mounts m;
	dev_t dev;

	(void)state;
	assert_ok(mounts_parse_take(strdup(TEXT), false, &m));
	assert_int_equal(m.count, 5);
	assert_string_equal(m.m[0].path, "/");
	assert_string_equal(m.m[0].source, "/dev/vda");
	assert_int_equal(m.m[0].id, 27);
	assert_false(m.m[0].again);
	assert_string_equal(m.m[1].path, "/mnt/a b");
	assert_string_equal(m.m[1].type, "xfs");
	assert_string_equal(m.m[2].path, "/srv");
	assert_true(m.m[2].again);
	assert_string_equal(m.m[3].type, "bcachefs");
	assert_string_equal(m.m[4].type, "zfs");

	assert_true(mounts_on_disk(&m.m[0], &dev));
	assert_true(dev == makedev(254, 0));
	assert_true(mounts_on_disk(&m.m[3], &dev));
	assert_true(!dev);
	assert_false(mounts_on_disk(&m.m[4], &dev));
	mounts_free(&m);
	assert_ok(mounts_parse_take(strdup(TEXT), true, &m));
	assert_int_equal(m.count, 6);
	assert_string_equal(m.m[3].type, "squashfs");
	assert_false(m.m[3].writable);
	assert_true(m.m[4].writable);
	assert_false(m.m[4].again);
	mounts_free(&m);
}

/* A machine with many containers: what is no disk's does not count. */
static void test_many(void **state)
{
	char *text = malloc(1 << 20);
	struct mounts m;
	size_t n = 0;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 3000; i++)
		n += (size_t)sprintf(text + n, "%d 27 0:%d / /c/%d rw - overlay overlay rw\n",
				     i + 100, i + 100, i);
	sprintf(text + n, TEXT);
	assert_ok(mounts_parse_take(text, true, &m));
	assert_int_equal(m.count, 6);
	mounts_free(&m);
}

/* Whether a "source" is a device is asked while everything is frozen, also the process behind a
 * folder that is one: nothing outside of /dev is looked at. */
static void test_folders(void **state)
{
	static const char text[] = "40 27 0:60 / /plain rw - fuse.gocryptfs /srv/cipher rw\n"
				   "41 27 0:61 / /bound rw - fuse /plain/x rw\n"
				   "42 27 0:62 / /shared rw - 9p /plain/y rw\n"
				   "43 27 0:63 / /data rw - btrfs /dev/nothing-there rw\n"
				   "44 27 0:64 / /moved rw - btrfs /plain/node rw\n";
	struct mounts m;

	(void)state;
	looked = 0;
	assert_ok(mounts_parse_take(strdup(text), true, &m));
	assert_int_equal(m.count, 2);
	assert_true(looked);
	mounts_free(&m);
	assert_ok(parse_take(strdup(text), EVERY, &m));
	assert_int_equal(m.count, 5);
	mounts_free(&m);
}

static void test_here(void **state)
{
	struct mounts m;

	(void)state;
	assert_ok(mounts_read(&m));
	mounts_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_here),
	};

	return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
