/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: end taken as exclusive; entries left in the
 * order of the folder; type not compared; a missing last region not noticed. */
#include "unit.h"

#include "base/util.h"
#include "memory/memmap.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char dir[] = "/tmp/unit-memmap-XXXXXX";

static void put(int entry, const char *field, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d", dir, entry);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%d/%s", dir, entry, field);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", text);
	fclose(f);
}

static void put_entry(int entry, const char *start, const char *end, const char *type)
{
	put(entry, "start", start);
	put(entry, "end", end);
	put(entry, "type", type);
}

static int make_map(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	put_entry(0, "0x100000", "0x3ffdffff", "System RAM");
	put_entry(1, "0x0", "0x9fbff", "System RAM");
	put_entry(2, "0x3ffe0000", "0x3fffffff", "ACPI Non-volatile Storage");
	put_entry(3, "0xfffc0000", "0xffffffff", "Reserved");
	return 0;
}

static int drop_map(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void reads_and_sorts(void **state)
{
	struct range_list m;

	(void)state;
	assert_ok(memmap_read(dir, &m));
	assert_int_equal(m.count, 4);
	assert_int_equal(m.r[0].start, 0);
	assert_int_equal(m.r[0].end, 0x9fc00);
	assert_int_equal(m.r[1].start, 0x100000);
	assert_int_equal(m.r[1].type, RANGE_RAM);
	assert_int_equal(m.r[2].type, RANGE_NVS);
	assert_int_equal(m.r[3].type, RANGE_RESERVED);
	assert_int_equal(m.r[3].end, 0x100000000);
	assert_err(memmap_read("/nowhere", &m), ERR_REFUSED);
}

static void compares_each_region(void **state)
{
	struct range_list then, now;

	(void)state;
	assert_ok(memmap_read(dir, &then));
	now = then;
	assert_ok(memmap_same(&then, &now));
	for (size_t i = 0; i < then.count; i++) {
		now = then;
		now.r[i].start += PAGE_BYTES;
		assert_err(memmap_same(&then, &now), ERR_REFUSED);
		now = then;
		now.r[i].end -= PAGE_BYTES;
		assert_err(memmap_same(&then, &now), ERR_REFUSED);
		now = then;
		now.r[i].type = RANGE_ACPI;
		assert_err(memmap_same(&then, &now), ERR_REFUSED);
	}
	now = then;
	now.count--;
	assert_err(memmap_same(&then, &now), ERR_REFUSED);
	assert_err(memmap_same(&now, &then), ERR_REFUSED);
}

/* Which regions moved, not only the first; and whether they had moved before. */
static void tells_what_moved(void **state)
{
	struct range_list then, now;
	char first[300];
	err_t e;

	(void)state;
	assert_ok(memmap_read(dir, &then));
	now = then;
	now.r[1].end -= PAGE_BYTES;
	now.r[2].start -= PAGE_BYTES;
	e = memmap_same(&then, &now);
	assert_non_null(strstr(err_text(e), "made with RAM 0x100000-0x3ffdffff, ACPI NVS "
					    "0x3ffe0000-0x3fffffff; this boot has RAM "
					    "0x100000-0x3ffdefff, "));
	snprintf(first, sizeof(first), "to be tried again: %s", err_text(e));
	assert_string_equal(memmap_again(err_text(e), "no writer"), "it had not moved before");
	assert_non_null(strstr(memmap_again(err_text(e), first), "same way"));
	first[100] = '\0';
	assert_non_null(strstr(memmap_again(err_text(e), first), "same way"));
	err_free(e);
	now.r[1].end -= PAGE_BYTES;
	e = memmap_same(&then, &now);
	assert_non_null(strstr(memmap_again(err_text(e), first), "otherwise"));
	assert_string_equal(memmap_again("no writer", first), "");
	err_free(e);
	for (unsigned int i = 0; i < then.count; i++)
		now.r[i].start = then.r[i].start + 0x200;
	e = memmap_same(&then, &now);
	assert_non_null(strstr(err_text(e), " and 1 more; this boot has "));
	err_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_sorts),
		cmocka_unit_test(compares_each_region),
		cmocka_unit_test(tells_what_moved),
	};

	return cmocka_run_group_tests_name("memmap", tests, make_map, drop_map);
}
