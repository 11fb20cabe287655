/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: only the first page under the checksum,
 * nonce not compared, nonce of a later page not compared, text without NUL accepted, an
 * unknown reason accepted. */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "formats/report.h"

static const uint8_t nonce[REPORT_NONCE_BYTES] = "0123456789abcde";
static const uint8_t other[REPORT_NONCE_BYTES] = "0123456789abcdX";
static uint8_t buf[REPORT_BYTES];

static const struct report sample = {
	.result = REPORT_FAILED,
	.why = REPORT_WHY_FULL,
	.text = "disk full",
	.log = "one\ntwo\n",
	.image_bytes = 0x1122334455667788,
	.data_pages = 77,
	.milliseconds = 0x01020304,
};

static void reseal(void)
{
	le32_t crc = le32_of(crc32c(0, buf, REPORT_KERNEL_LOG_AT));

	memcpy(buf + REPORT_BYTES - 4, &crc, sizeof(crc));
}

static void prepared_is_none(void **state)
{
	struct report got;

	(void)state;
	memset(buf, 0xee, sizeof(buf));
	report_prepare(buf, nonce);
	assert_true(report_matches(buf, nonce));
	assert_false(report_matches(buf, other));
	assert_ok(report_decode(buf, nonce, &got));
	assert_int_equal(got.result, REPORT_NONE);
	assert_string_equal(got.text, "");
	assert_string_equal(got.log, "");
}

static void round_trip(void **state)
{
	static const uint8_t golden[] = {
		'D',  'O',  'R',  'M',	'-',  'R',  'P',  'T', /* 0 magic */
		2,    0,    0,	  0,	3,    0,    0,	  0,   /* 8 version, result */
		'0',  '1',  '2',  '3',	'4',  '5',  '6',  '7', /* 16 nonce */
		'8',  '9',  'a',  'b',	'c',  'd',  'e',  0,
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, /* 32 image_bytes */
		77,   0,    0,	  0,	0,    0,    0,	  0,	/* 40 data_pages */
		0x04, 0x03, 0x02, 0x01, 1,    0,    0,	  0,	/* 48 milliseconds, why */
	};
	struct report got;

	(void)state;
	report_encode(&sample, nonce, buf);
	assert_memory_equal(buf, golden, sizeof(golden));
	assert_string_equal((char *)buf + 64, sample.text);
	assert_string_equal((char *)buf + 576, sample.log);
	assert_true(report_matches(buf, nonce)); /* it may be written again */
	assert_ok(report_decode(buf, nonce, &got));
	assert_int_equal(got.result, sample.result);
	assert_int_equal(got.why, sample.why);
	assert_string_equal(got.text, sample.text);
	assert_string_equal(got.log, sample.log);
	assert_int_equal(got.image_bytes, sample.image_bytes);
	assert_int_equal(got.data_pages, sample.data_pages);
	assert_int_equal(got.milliseconds, sample.milliseconds);
	assert_err(report_decode(buf, other, &got), ERR_CORRUPT);
}

/* A byte of every kind of place; all bits of 16 KiB would be slow under the sanitizers. */
static void flips(void **state)
{
	struct report got;

	(void)state;
	report_encode(&sample, nonce, buf);
	for (size_t i = 0; i < REPORT_KERNEL_LOG_AT; i += i < 100 ? 1 : 97) {
		buf[i] ^= 0x10;
		assert_err(report_decode(buf, nonce, &got), ERR_CORRUPT);
		assert_false(report_matches(buf, nonce));
		buf[i] ^= 0x10;
	}
	buf[REPORT_BYTES - 1] ^= 1;
	assert_false(report_matches(buf, nonce));
}

/* Each page is known by itself: all of them are written to. */
static void pages(void **state)
{
	(void)state;
	for (size_t page = 0; page < REPORT_BYTES; page += 4096) {
		report_encode(&sample, nonce, buf);
		memset(buf + page + (page ? 0 : 16), 0, REPORT_NONCE_BYTES);
		reseal();
		assert_false(report_matches(buf, nonce));
	}
}

/* What is copied there after a panic is under no checksum, and is read only then. */
static void kernel_log(void **state)
{
	static const char panic[] = "\6\0\0\0\0\0\0\0started.\7\0\0\0\0\0\0\0Kernel panic";
	struct report got, crashed = {.result = REPORT_CRASHED};

	(void)state;
	report_encode(&crashed, nonce, buf);
	memcpy(buf + REPORT_KERNEL_LOG_AT + 8, panic, sizeof(panic));
	assert_ok(report_decode(buf, nonce, &got));
	assert_int_equal(got.result, REPORT_CRASHED);
	assert_string_equal(got.kernel_log, "started.\nKernel panic\n");
	report_encode(&sample, nonce, buf);
	memcpy(buf + REPORT_KERNEL_LOG_AT + 8, panic, sizeof(panic));
	assert_ok(report_decode(buf, nonce, &got));
	assert_string_equal(got.kernel_log, "");
}

static void nonsense(void **state)
{
	struct report got, full = sample;

	(void)state;
	report_encode(&sample, nonce, buf);
	buf[12] = 6; /* result */
	reseal();
	assert_err(report_decode(buf, nonce, &got), ERR_CORRUPT);
	report_encode(&sample, nonce, buf);
	buf[52] = 2; /* why */
	reseal();
	assert_err(report_decode(buf, nonce, &got), ERR_CORRUPT);
	report_encode(&sample, nonce, buf);
	buf[8] = 3; /* version */
	reseal();
	assert_err(report_decode(buf, nonce, &got), ERR_UNSUPPORTED);
	report_encode(&sample, nonce, buf);
	buf[64 + REPORT_TEXT_MAX - 1] = 'x';
	reseal();
	assert_err(report_decode(buf, nonce, &got), ERR_CORRUPT);
	report_encode(&sample, nonce, buf);
	buf[576 + REPORT_LOG_MAX - 1] = 'x';
	reseal();
	assert_err(report_decode(buf, nonce, &got), ERR_CORRUPT);

	memset(full.text, 't', sizeof(full.text)); /* without NUL: cut */
	memset(full.log, 'l', sizeof(full.log));
	report_encode(&full, nonce, buf);
	assert_ok(report_decode(buf, nonce, &got));
	assert_int_equal(strlen(got.text), REPORT_TEXT_MAX - 1);
	assert_int_equal(strlen(got.log), REPORT_LOG_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prepared_is_none),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(flips),
		cmocka_unit_test(pages),
		cmocka_unit_test(kernel_log),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
