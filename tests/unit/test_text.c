/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: overlong forms taken, C1 passed on, a
 * character cut in two, a quote not escaped. */
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
		{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xad", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xad"},
		{"\xc2\x9b" "31m", "?31m"},		 /* C1: a terminal's escape in one byte */
		{"\xff\xc0\xaf\x80", "????"},		 /* never, overlong, alone */
		{"\xed\xa0\x80", "???"},		 /* a surrogate */
		{"\xf4\x90\x80\x80", "????"},		 /* above U+10FFFF */
		{"x\xe2\x82", "x??"},			 /* cut off */
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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(printable), cmocka_unit_test(json)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
