/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: overlong forms taken, C1 passed on, a
 * character cut in two, a quote not escaped; a year of more than 31 bits printed. */
#include "unit.h"

#include "base/text.h"
#include "base/util.h"

static void printable(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{"", ""},
		{"host-1", "host-1"},
		{"a\033[31mb\r\n\177", "a?[31mb???"},
		{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xad",
		 "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xad"},
		{"\xc2\x9b"
		 "31m",
		 "?31m"},		      /* C1: a terminal's escape in one byte */
		{"\xff\xc0\xaf\x80", "????"}, /* never, overlong, alone */
		{"\xed\xa0\x80", "???"},      /* a surrogate */
		{"\xf4\x90\x80\x80", "????"}, /* above U+10FFFF */
		{"x\xe2\x82", "x??"},	      /* cut off */
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_string_equal(text_printable(out, sizeof(out), t[i].in), t[i].out);
	assert_string_equal(text_printable(out, 4, "abcdef"), "abc");
	assert_string_equal(text_printable(out, 4, "ab\xc3\xbc"), "ab");
	assert_string_equal(text_printable(out, 1, "a"), "");
}

static void json(void **state)
{
	char buf[128];
	FILE *f = fmemopen(buf, sizeof(buf), "w");

	(void)state;
	text_json(f, "a\"b\\c\n\x1b\xc2\x9b\xc3\xbc\xff");
	fclose(f);
	assert_string_equal(buf, "\"a\\\"b\\\\c\\u000a\\u001b\\u009b\xc3\xbc\\ufffd\"");
}

/* Of an image it is whatever somebody has written there. */
static void times(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(text_time(buf, sizeof(buf), "%F %H:%M", 1767225600, true),
			    "2026-01-01 00:00");
	for (int utc = 0; utc < 2; utc++) {
		assert_string_equal(text_time(buf, sizeof(buf), "%F", 1ull << 60, utc),
				    "a time that cannot be");
		assert_string_equal(text_time(buf, 8, "%F %T", 0, utc), "a time ");
	}
}

static void uuid(void **state)
{
	static const uint8_t u[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0xab, 0xcd, 14, 255};
	char out[TEXT_UUID_BYTES];

	(void)state;
	text_uuid(u, out);
	assert_string_equal(out, "00010203-0405-0607-0809-0a0babcd0eff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(printable), cmocka_unit_test(json),
					   cmocka_unit_test(times), cmocka_unit_test(uuid)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
