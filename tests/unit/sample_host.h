/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A host as it may be, for the tests of hostinfo and handoff. */
#ifndef SAMPLE_HOST_H
#define SAMPLE_HOST_H

#include "formats/hostinfo.h"

#include <string.h>

static inline struct hostinfo sample_host(void)
{
	struct hostinfo h = {
		.release = "6.12.117",
		.hostname = "box",
		.build_id = "00112233445566778899aabbccddeeff00112233",
		.la57 = true,
		.cpus = 2,
		.memory = {4,
			   {{0, 0x9fc00, RANGE_RAM},
			    {0x9fc00, 0xa0000, RANGE_RESERVED},
			    {0x100000, 0x7ffd0000, RANGE_RAM},
			    {0x7ffd0000, 0x80000000, RANGE_ACPI}}},
		.windows = {2, {{0x1000, 0x9f000, RANGE_RAM}, {0x10000000, 0x14000000, RANGE_RAM}}},
		.main_window = {0x10000000, 0x14000000, RANGE_RAM},
		.jump_entry = 0x20000123,
		.free_fill = FREE_FILL_POISON,
		.watchdog = 60,
		.vmcoreinfo = 0x10000010,
		.vmcoreinfo_bytes = 4096,
		.prints = {.disk_count = 2,
			   .count = 3,
			   .disks = {{1 << 30, "serial 1"}, {1 << 29, ""}},
			   .p = {{0,
				  PRINT_SUPERBLOCK,
				  1024,
				  1024,
				  0x70,
				  {1},
				  {2},
				  "/ (ext4 on /dev/vda)"},
				 {0,
				  PRINT_JOURNAL,
				  1 << 20,
				  1024,
				  0x30,
				  {3},
				  {4},
				  "/ (ext4 on /dev/vda)"},
				 {1, PRINT_LOG, 4096, 512, PRINT_NO_MARK, {0}, {5}, "/x"}}},
		.report = {0x30000000, 0x30005000, 0x20000000, 0x7ffcf000},
	};

	memset(h.writer_sha256, 0x77, sizeof(h.writer_sha256));
	memset(h.report_nonce, 0x99, sizeof(h.report_nonce));
	return h;
}

static inline void assert_same_range(struct range a, struct range b)
{
	assert_int_equal(a.start, b.start);
	assert_int_equal(a.end, b.end);
	assert_int_equal(a.type, b.type);
}

static inline void assert_same_ranges(const struct range_list *a, const struct range_list *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++)
		assert_same_range(a->r[i], b->r[i]);
}

static inline void assert_same_host(const struct hostinfo *a, const struct hostinfo *b)
{
	assert_string_equal(a->release, b->release);
	assert_string_equal(a->hostname, b->hostname);
	assert_string_equal(a->build_id, b->build_id);
	assert_int_equal(a->la57, b->la57);
	assert_int_equal(a->cpus, b->cpus);
	assert_same_ranges(&a->memory, &b->memory);
	assert_same_ranges(&a->windows, &b->windows);
	assert_same_range(a->main_window, b->main_window);
	assert_int_equal(a->jump_entry, b->jump_entry);
	assert_memory_equal(a->writer_sha256, b->writer_sha256, sizeof(a->writer_sha256));
	assert_int_equal(a->free_fill, b->free_fill);
	assert_int_equal(a->watchdog, b->watchdog);
	assert_int_equal(a->vmcoreinfo, b->vmcoreinfo);
	assert_int_equal(a->vmcoreinfo_bytes, b->vmcoreinfo_bytes);
	assert_memory_equal(a->report, b->report, sizeof(a->report));
	assert_memory_equal(a->report_nonce, b->report_nonce, sizeof(a->report_nonce));
	assert_memory_equal(&a->prints, &b->prints, sizeof(a->prints));
}

#endif
