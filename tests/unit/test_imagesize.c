/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: the kernel's count of memory instead of the firmware's;
 * MemTotal forgotten where the firmware's map is not known; more free than there is. */
#include "unit.h"

#include "base/util.h"
#include "host/checks/imagesize.c"

static struct preflight *machine(uint64_t ram, uint64_t total, uint64_t free_bytes)
{
	static struct preflight p;

	memset(&p, 0, sizeof(p));
	p.mem_total = total;
	p.mem_free = free_bytes;
	p.host.memory.r[0] = (struct range){0, ram / 4, RANGE_RAM};
	p.host.memory.r[1] = (struct range){GIB * 1024, GIB * 1025, RANGE_RESERVED};
	p.host.memory.r[2] = (struct range){GIB * 2048, GIB * 2048 + ram / 4 * 3, RANGE_RAM};
	p.host.memory.count = ram ? 3 : 0;
	return &p;
}

static void test_used(void **state)
{
	(void)state;
	/* 1.5 % of 24 GiB are pages that describe pages, and the kernel's text. */
	assert_true(imagesize_used(machine(24 * GIB, 24 * GIB - 430 * MIB, 23 * GIB)) == GIB);
	assert_true(imagesize_used(machine(24 * GIB, 24 * GIB - 430 * MIB, 0)) == 24 * GIB);
	assert_true(imagesize_used(machine(0, 4 * GIB, GIB)) == 3 * GIB);
	assert_true(imagesize_used(machine(GIB, GIB, 2 * GIB)) == 0);
}

static void test_sizes(void **state)
{
	const struct preflight *p = machine(4 * GIB, 4 * GIB, 0);

	(void)state;
	assert_true(imagesize_worst(p) == 4 * GIB + 64 * MIB + OVERHEAD_BYTES);
	assert_true(imagesize_least(p) == 64 * MIB + OVERHEAD_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_used),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests_name("imagesize", tests, NULL, NULL);
}
