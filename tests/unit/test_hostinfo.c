/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: order of ranges not checked, window not held
 * against RAM, jump entry allowed inside a window, a required record dropped
 * from the list, la57 inverted in encode and decode alike (golden bytes).
 */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "formats/hostinfo.h"
#include "sample_host.h"

static uint8_t buf[HOSTINFO_MAX];

static err_t decode_copy(const uint8_t *p, size_t n, struct hostinfo *out)
{
	uint8_t *copy = unit_copy(p, n);
	err_t e = hostinfo_decode(copy, n, out);

	free(copy);
	return e;
}

static void reseal(uint8_t *p, size_t n)
{
	le32_t crc = le32_of(crc32c(0, p, n - 4));

	memcpy(p + n - 4, &crc, sizeof(crc));
}

static void round_trip(void **state)
{
	struct hostinfo h = sample_host(), got;

	(void)state;
	assert_ok(decode_copy(buf, hostinfo_encode(&h, buf), &got));
	assert_same_host(&h, &got);

	/* In the handoff entry and report may be unknown yet. */
	h.jump_entry = 0;
	h.la57 = false;
	h.vmcoreinfo = h.vmcoreinfo_bytes = 0;
	memset(h.report, 0, sizeof(h.report));
	h.hostname[0] = h.build_id[0] = '\0';
	h.free_fill = FREE_FILL_NONE;
	assert_ok(decode_copy(buf, hostinfo_encode(&h, buf), &got));
	assert_same_host(&h, &got);
}

/* Longest strings, most ranges. */
static void limits(void **state)
{
	struct hostinfo h = sample_host(), got;

	(void)state;
	memset(h.release, 'r', sizeof(h.release) - 1);
	memset(h.hostname, 'h', sizeof(h.hostname) - 1);
	while (h.memory.count < RANGE_MAX) {
		uint64_t start = (uint64_t)h.memory.count << 40;

		assert_true(range_add(&h.memory, start, start + 1, RANGE_RESERVED));
	}
	h.memory.r[RANGE_MAX - 1].end = 1ull << 52;
	assert_ok(decode_copy(buf, hostinfo_encode(&h, buf), &got));
	assert_same_host(&h, &got);
	h.memory.r[RANGE_MAX - 1].end++;
	assert_err(decode_copy(buf, hostinfo_encode(&h, buf), &got), ERR_CORRUPT);
}

/* Tag, length and payload of the first records, by docs/image-format.md. */
static void golden_bytes(void **state)
{
	static const uint8_t start[] = {
		'D', 'O', 'R', 'M', '-', 'H', 'D', 'R', /* 0 magic */
		1,   0,	  0,   0,			/* 8 version; length follows */
	};
	static const uint8_t memory[] = {
		1,    0,    0,	  0x80, 96, 0, 0, 0, /* 16 MEMORY, 4 ranges */
		0,    0,    0,	  0,	0,  0, 0, 0, /* 24 start */
		0x00, 0xfc, 0x09, 0,	0,  0, 0, 0, /* 32 end */
		1,    0,    0,	  0,	0,  0, 0, 0, /* 40 type, reserved */
	};
	static const uint8_t rest[] = {
		4,    0,    0, 0x80, 8, 0, 0, 0,			     /* 208 JUMP_ENTRY */
		0x23, 0x01, 0, 0x20, 0, 0, 0, 0, 5, 0, 0, 0x80, 4,  0, 0, 0, /* 224 LEVELS */
		5,    0,    0, 0,    0, 0, 0, 0, 6, 0, 0, 0x80, 32, 0, 0, 0, /* 240 WRITER */
	};
	struct hostinfo h = sample_host();

	(void)state;
	hostinfo_encode(&h, buf);
	assert_memory_equal(buf, start, sizeof(start));
	assert_memory_equal(buf + 16, memory, sizeof(memory));
	assert_memory_equal(buf + 208, rest, sizeof(rest));
}

static void every_truncation_and_flip(void **state)
{
	struct hostinfo h = sample_host(), got;
	size_t n = hostinfo_encode(&h, buf);

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_err(decode_copy(buf, i, &got), i < 8 ? ERR_FORMAT : ERR_CORRUPT);
	for (size_t bit = 0; bit < n * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_err(decode_copy(buf, n, &got), bit < 64 ? ERR_FORMAT : ERR_CORRUPT);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_ok(decode_copy(buf, n, &got));
}

/* With a right checksum: refused, or something that can be stored again. */
static void resealed_flips_are_sane(void **state)
{
	struct hostinfo h = sample_host(), got, again;
	static uint8_t second[HOSTINFO_MAX];
	size_t n = hostinfo_encode(&h, buf);

	(void)state;
	for (size_t bit = 0; bit < (n - 4) * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		reseal(buf, n);
		if (!unit_is_err(decode_copy(buf, n, &got))) {
			assert_ok(decode_copy(second, hostinfo_encode(&got, second), &again));
			assert_same_host(&got, &again);
		}
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static err_t decode_struct(const struct hostinfo *h)
{
	struct hostinfo got;

	return decode_copy(buf, hostinfo_encode(h, buf), &got);
}

#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct hostinfo h = sample_host();                                                 \
		change;                                                                            \
		assert_err(decode_struct(&h), ERR_CORRUPT);                                        \
	} while (0)

static void bad_ranges(void **state)
{
	struct hostinfo unknown = sample_host();

	(void)state;
	REFUSED(h.memory.count = 0);
	REFUSED(h.memory.r[2].end = h.memory.r[2].start);
	REFUSED(h.memory.r[2].end = h.memory.r[2].start - 1);
	REFUSED(h.memory.r[1].start--); /* overlap */
	REFUSED(struct range r = h.memory.r[0]; h.memory.r[0] = h.memory.r[1]; h.memory.r[1] = r);
	REFUSED(h.memory.r[3].end = (1ull << 52) + 1);
	REFUSED(h.windows.count = 0);
	REFUSED(h.windows.r[0].end = 0xa0000);	/* not RAM */
	REFUSED(h.windows.r[0].start = 0x1800); /* not whole pages */
	REFUSED(h.windows.r[0].end = 0x9fc00);
	REFUSED(h.windows.r[0].type = RANGE_RESERVED);
	REFUSED(h.windows.r[1].end = 0x7ffd1000);
	REFUSED(h.main_window.end -= 4096);
	REFUSED(h.main_window.start += 4096);
	REFUSED(h.windows.count = 1); /* the main one is gone */
	REFUSED(h.memory.r[2].type = RANGE_RESERVED);

	unknown.memory.r[3].type = (enum range_type)6;
	assert_err(decode_struct(&unknown), ERR_UNSUPPORTED);
	unknown.memory.r[3].type = RANGE_PMEM;
	assert_ok(decode_struct(&unknown));
}

static void bad_addresses(void **state)
{
	(void)state;
	REFUSED(h.jump_entry = 0x10000000); /* in the window */
	REFUSED(h.jump_entry = 0x13ffffff);
	REFUSED(h.jump_entry = 0x7ffd0000); /* not RAM */
	REFUSED(h.jump_entry = UINT64_MAX);
	REFUSED(h.report[0] = 0); /* all four or none */
	REFUSED(h.report[3] = 0x30000001);
	REFUSED(h.report[3] = 0x7ffd0000);
	REFUSED(h.report[3] = UINT64_MAX & ~4095ull);
	REFUSED(h.vmcoreinfo = UINT64_MAX - 10);
	REFUSED(h.vmcoreinfo = 1ull << 52);
}

static void unknown_values(void **state)
{
	struct hostinfo h = sample_host(), got;
	size_t n;

	(void)state;
	h.free_fill = (enum free_fill)4;
	assert_err(decode_struct(&h), ERR_UNSUPPORTED);
	h = sample_host();
	n = hostinfo_encode(&h, buf);
	buf[232] = 6; /* levels of paging */
	reseal(buf, n);
	assert_err(decode_copy(buf, n, &got), ERR_UNSUPPORTED);
	assert_int_equal(buf[8], 1);
	hostinfo_encode(&h, buf);
	buf[8] = 2; /* version */
	reseal(buf, n);
	assert_err(decode_copy(buf, n, &got), ERR_UNSUPPORTED);
}

/* What a dump has, must not have, and where its notes may lie. */
static void dumps(void **state)
{
	struct hostinfo h = {.release = "", .dump = true, .cpus = 3}, got;
	const struct slot_region good = {16384, HOSTINFO_NOTES_MAX, 7}, none = {0};
	const struct slot_region bad[] = {
		{0, 0, 1},     {16384, 0, 0},	    {16384, HOSTINFO_NOTES_MAX + 1, 7},
		{12288, 1, 7}, {16384 + 512, 1, 7}, {1ull << 63, 1, 7},
	};
	size_t n;

	(void)state;
	h.memory = (struct range_list){1, {{0x1000, 0x9f000, RANGE_RAM}}};
	h.notes = good;
	assert_ok(decode_struct(&h));
	h.notes = none;
	assert_ok(decode_struct(&h));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		h.notes = bad[i];
		assert_err(decode_struct(&h), ERR_CORRUPT);
	}
	h.notes = none;
	h.memory.r[0].end += 512;
	assert_err(decode_struct(&h), ERR_CORRUPT);
	h.memory.r[0] = (struct range){0x1000, 0x9f000, RANGE_RESERVED};
	assert_err(decode_struct(&h), ERR_CORRUPT);
	/* A host's header that also says DUMP: its optional BUILD_ID becomes one. */
	h = sample_host();
	strcpy(h.build_id, "0123456789abcdef");
	n = hostinfo_encode(&h, buf);
	for (size_t at = 16; at < n - 8; at += 8 + (buf[at + 4] + buf[at + 5] * 256u + 7) / 8 * 8) {
		if (buf[at] != 18)
			continue;
		memcpy(buf + at, "\x08\0\0\x80", 4);
		memset(buf + at + 8, 0, 16);
	}
	reseal(buf, n);
	assert_err(decode_copy(buf, n, &got), ERR_CORRUPT);
}

/* Renaming a record's tag makes it unknown, and the one it was missing. */
static void records(void **state)
{
	struct hostinfo h = sample_host(), got;
	size_t n = hostinfo_encode(&h, buf);
	int critical = 0, optional = 0;

	(void)state;
	for (size_t at = 16; at < n - 8;) {
		uint32_t bytes = buf[at + 4] | (uint32_t)buf[at + 5] << 8;
		bool is_critical = buf[at + 3] & 0x80, is_release = buf[at] == 16;

		buf[at + 1] = 1;
		reseal(buf, n);
		if (is_critical)
			assert_err(decode_copy(buf, n, &got), ERR_UNSUPPORTED);
		else if (is_release)
			assert_err(decode_copy(buf, n, &got), ERR_CORRUPT);
		else
			assert_ok(decode_copy(buf, n, &got));
		buf[at + 3] = 0; /* not critical: skipped, so the record is missing */
		reseal(buf, n);
		if (is_critical)
			assert_err(decode_copy(buf, n, &got), ERR_CORRUPT);
		critical += is_critical;
		optional += !is_critical;
		hostinfo_encode(&h, buf);
		at += 8 + (bytes + 7) / 8 * 8;
	}
	assert_int_equal(critical, 9);
	assert_int_equal(optional, 7);
}

static void unchanged_on_error(void **state)
{
	struct hostinfo h = sample_host(), got;
	size_t n = hostinfo_encode(&h, buf);

	(void)state;
	memset(&got, 0x5a, sizeof(got));
	buf[n - 1] ^= 1;
	assert_err(decode_copy(buf, n, &got), ERR_CORRUPT);
	for (size_t i = 0; i < sizeof(got); i++)
		assert_int_equal(((uint8_t *)&got)[i], 0x5a);
	assert_err(hostinfo_decode(buf, HOSTINFO_MAX + 8, &got), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(limits),
		cmocka_unit_test(golden_bytes),
		cmocka_unit_test(every_truncation_and_flip),
		cmocka_unit_test(resealed_flips_are_sane),
		cmocka_unit_test(bad_ranges),
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(unknown_values),
		cmocka_unit_test(dumps),
		cmocka_unit_test(records),
		cmocka_unit_test(unchanged_on_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
