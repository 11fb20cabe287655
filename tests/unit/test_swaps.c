/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: \040 not undone; the title taken for an area; a deleted
 * file's area kept; pages counted instead of KiB; two files told apart by name only.
 */
#include "unit.h"

#include "host/disks/swaps.c"

#define TITLE "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

static void test_parse(void **state)
{
	char text[] =
		TITLE "/dev/dm-1                               partition\t8388604\t\t12\t\t-2\n"
		      "/mnt/a\\040b\\134c                          file\t\t524284\t\t0\t\t5\n"
		      "/old\\040(deleted)                       file\t\t524284\t\t0\t\t-3\n";
	struct swaps *s = malloc(sizeof(*s));

	(void)state;
	assert_non_null(s);
	assert_ok(swaps_parse(text, s));
	assert_int_equal(s->count, 2);
	assert_string_equal(s->list[0].path, "/dev/dm-1");
	assert_false(s->list[0].is_file);
	assert_int_equal(s->list[0].bytes, 8388604 * KIB);
	assert_int_equal(s->list[0].used, 12 * KIB);
	assert_int_equal(s->list[0].priority, -2);
	assert_string_equal(s->list[1].path, "/mnt/a b\\c");
	assert_true(s->list[1].is_file);
	assert_int_equal(s->list[1].priority, 5);
	free(s);
}

static void test_bad(void **state)
{
	char none[] = TITLE, cut[] = TITLE "/dev/vda2 partition 4096\n",
	     strange[] = TITLE "x y z\n";
	char many[8192] = TITLE;
	struct swaps *s = malloc(sizeof(*s));

	(void)state;
	assert_non_null(s);
	assert_ok(swaps_parse(none, s));
	assert_int_equal(s->count, 0);
	assert_err(swaps_parse(cut, s), ERR_INVALID);
	assert_err(swaps_parse(strange, s), ERR_INVALID);
	for (int i = 0; i <= SWAPS_MAX; i++)
		strcat(many, "/dev/vda2 partition 4 0 -2\n");
	assert_err(swaps_parse(many, s), ERR_REFUSED);
	free(s);
}

/* By another name, through a link. */
static void test_find(void **state)
{
	char path[] = "/tmp/dormouse-swaps-XXXXXX", other[] = "/tmp/dormouse-swaps-XXXXXX",
	     link[64];
	struct swaps *s = calloc(1, sizeof(*s));
	int a = mkstemp(path), b = mkstemp(other);

	(void)state;
	assert_non_null(s);
	assert_true(a >= 0 && b >= 0);
	snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink(path, link), 0);
	s->count = 1;
	strcpy(s->list[0].path, path);
	assert_ptr_equal(swaps_find(s, link), &s->list[0]);
	assert_null(swaps_find(s, other));
	assert_null(swaps_find(s, "/dev/null"));
	assert_null(swaps_find(s, "/not/there"));
	unlink(link);
	unlink(path);
	unlink(other);
	close(a);
	close(b);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests_name("swaps", tests, NULL, NULL);
}
