/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A made-up sysfs. Planted faults that made it fail: one encrypted device beneath
 * suffices; a disk without anything beneath counts; partitions not followed to their disk;
 * any uuid taken for dm-crypt's; dm-integrity and dm-verity taken for it; what is on them
 * not looked at further.
 */
#include "unit.h"

#include "host/disks/encrypted.c"

static char top[] = "/tmp/dormouse-encrypted-XXXXXX";

/* block NUMBER FOLDER [UUID [BENEATH...]] */
static const char script[] =
	"cd %s && mkdir -p dev/block class/block && block() {\n"
	"  number=$1 folder=$2 uuid=$3; shift 2; [ $# = 0 ] || shift\n"
	"  mkdir -p $folder/slaves; echo 1:$number >$folder/dev\n"
	"  ln -s ../../$folder dev/block/1:$number; ln -s ../../$folder class/block/${folder##*/}\n"
	"  [ -z \"$uuid\" ] || { mkdir $folder/dm; echo $uuid >$folder/dm/uuid; }\n"
	"  for d; do ln -s %s/$d $folder/slaves/${d##*/}; done\n"
	"}\n"
	"block 0 d/sda; block 1 d/sda/sda1; echo 1 >d/sda/sda1/partition\n"
	"block 2 v/dm-0 LVM-plain d/sda/sda1; block 3 v/dm-1 mycrypt d/sda/sda1\n"
	"block 4 v/dm-2 $1 d/sda/sda1\n"
	"block 5 v/dm-3 LVM-on-luks v/dm-2; block 6 v/dm-4 LVM-on-both v/dm-2 v/dm-0\n"
	"block 7 v/md0 '' v/dm-2; block 8 v/md0/md0p1; echo 1 >v/md0/md0p1/partition\n"
	"block 9 v/loop v/loop; block 10 v/dm-5 LVM-loop v/dm-5\n"
	"block 11 v/dm-6 CRYPT-INTEGRITY-x d/sda/sda1; block 12 v/dm-7 CRYPT-VERITY-x d/sda/sda1\n"
	"block 13 v/dm-8 CRYPT-INTEGRITY-y v/dm-2\n";

static bool is(unsigned int minor)
{
	return encrypted_device(top, makedev(1, minor));
}

static void make(const char *uuid)
{
	char text[4096];

	snprintf(text, sizeof(text), "set -- %s\n", uuid);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), script, top, top);
	assert_int_equal(system(text), 0);
}

static void test_devices(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(top));
	assert_false(encrypted_any(top));
	make("CRYPT-LUKS2-abc");
	assert_false(
		is(0)); /* a disk, its partition, LVM on it, something that is only called so */
	assert_false(is(1));
	assert_false(is(2));
	assert_false(is(3));
	assert_true(is(4));
	assert_true(is(5));
	assert_false(is(6)); /* half of it in the clear */
	assert_true(is(7));
	assert_true(is(8));
	assert_false(is(9));
	assert_false(is(10)); /* on itself */
	assert_false(is(11));
	assert_false(is(12));
	assert_true(is(13)); /* on what is encrypted */
	assert_false(is(77));
	assert_true(encrypted_any(top));
}

static void test_here(void **state)
{
	bool encrypted = true;

	(void)state;
	assert_ok(encrypted_path("/proc", &encrypted));
	assert_false(encrypted);
	assert_err(encrypted_path("/nonexistent", &encrypted), ERR_IO);
}

static int clean(void **state)
{
	char text[128];

	(void)state;
	snprintf(text, sizeof(text), "rm -rf %s", top);
	return system(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_here),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
