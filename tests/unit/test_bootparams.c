/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The e820 that the writer gets. Planted faults that made it fail: host RAM left
 * out instead of reserved; the part after a window forgotten; the low window
 * not cut out; no bound on the number of entries. */
#include "unit.h"

#include "base/util.h"
#include "jump/bootparams.h"

#include <asm/bootparam.h>
#include <string.h>

static const struct range_list memory = {
	.count = 5,
	.r =
		{
			{0, 0x9fc00, RANGE_RAM},
			{0x9fc00, 0xa0000, RANGE_RESERVED},
			{0x100000, 0x3ffe0000, RANGE_RAM},
			{0x3ffe0000, 0x40000000, RANGE_ACPI},
			{0x100000000, 0x180000000, RANGE_RAM},
		},
};
static const struct range_list low = {.count = 1, .r = {{0x1000, 0x9f000, RANGE_RAM}}};

static struct bootparams_options sample(void)
{
	return (struct bootparams_options){
		.memory = &memory,
		.low = &low,
		.main = {0x10010000, 0x14000000, RANGE_RAM},
		.cmdline = 0x10002000,
		.initrd = 0x11200000,
		.initrd_bytes = 12345,
	};
}

static void only_windows_are_ram(void **state)
{
	static const struct boot_e820_entry expected[] = {
		{0, 0x1000, RANGE_RESERVED},
		{0x1000, 0x9e000, RANGE_RAM},
		{0x9f000, 0x1000, RANGE_RESERVED}, /* the rest of RAM and what follows it */
		{0x100000, 0xff10000, RANGE_RESERVED},
		{0x10010000, 0x3ff0000, RANGE_RAM},
		{0x14000000, 0x2bfe0000, RANGE_RESERVED},
		{0x3ffe0000, 0x20000, RANGE_ACPI},
		{0x100000000, 0x80000000, RANGE_RESERVED},
	};
	struct bootparams_options o = sample();
	struct boot_params bp;

	(void)state;
	assert_ok(bootparams_make(&o, (uint8_t *)&bp));
	assert_int_equal(bp.e820_entries, ARRAY_LEN(expected));
	assert_memory_equal(bp.e820_table, expected, sizeof(expected));
	assert_int_equal(bp.hdr.cmd_line_ptr, 0x10002000);
	assert_int_equal(bp.hdr.ramdisk_image, 0x11200000);
	assert_int_equal(bp.hdr.ramdisk_size, 12345);
}

static void refuses_what_does_not_fit(void **state)
{
	struct bootparams_options o = sample();
	struct range_list many = {0};
	struct boot_params bp;

	(void)state;
	for (uint64_t i = 0; i < RANGE_MAX; i++)
		assert_true(
			range_add(&many, i * 0x20000000, i * 0x20000000 + 0x10000000, RANGE_RAM));
	o.memory = &many;
	assert_err(bootparams_make(&o, (uint8_t *)&bp), ERR_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_windows_are_ram),
		cmocka_unit_test(refuses_what_does_not_fit),
	};

	return cmocka_run_group_tests_name("bootparams", tests, NULL, NULL);
}
