/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: the kernel's count of memory instead of the firmware's;
 * MemTotal forgotten where the firmware's map is not known; more free than there is; free
 * pages that are saved not counted, or only where a debug option says so. */
#include "unit.h"

#include "base/util.h"
#include "host/checks/imagesize.c"

static struct preflight *machine(uint64_t ram, uint64_t total, uint64_t free_bytes)
{
	static struct preflight p;
	static struct config config;

	config_init(&config);
	memset(&p, 0, sizeof(p));
	p.config = &config;
	p.host.vmcoreinfo = 4096;
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

static void test_free_saved(void **state)
{
	struct preflight *p = machine(4 * GIB, 4 * GIB, 3 * GIB);

	(void)state;
	p->host.free_fill = FREE_FILL_POISON;
	assert_true(imagesize_used(p) == GIB);
	p->host.free_fill = FREE_FILL_SAVE;
	assert_true(imagesize_used(p) == 4 * GIB);
	assert_true(imagesize_worst(p) == 4 * GIB + 64 * MIB + OVERHEAD_BYTES);
	assert_true(imagesize_hardly(p) == GIB / 4);
	p->host.free_fill = FREE_FILL_NONE;
	p->host.vmcoreinfo = 0;
	assert_true(imagesize_used(p) == 4 * GIB);
}

static void test_sizes(void **state)
{
	const struct preflight *p = machine(4 * GIB, 4 * GIB, 0);

	(void)state;
	assert_true(imagesize_worst(p) == 4 * GIB + 64 * MIB + OVERHEAD_BYTES);
	assert_true(imagesize_least(p) == 64 * MIB + OVERHEAD_BYTES);
	assert_true(imagesize_likely(p) == imagesize_worst(p) / 2);
	assert_true(imagesize_hardly(p) == GIB);
	strcpy(((struct config *)p->config)->codec, "none");
	assert_true(imagesize_likely(p) == imagesize_worst(p));
	assert_true(imagesize_hardly(p) == 2 * GIB);
	strcpy(((struct config *)p->config)->codec, "auto");
	assert_true(imagesize_likely(p) == imagesize_worst(p));
	assert_true(imagesize_hardly(p) == GIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_used),
		cmocka_unit_test(test_free_saved),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests_name("imagesize", tests, NULL, NULL);
}
