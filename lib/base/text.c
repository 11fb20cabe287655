/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"

#include <string.h>
#include <time.h>

/* Bytes of the UTF-8 character at s (RFC 3629: shortest form, no surrogates),
 * 0 if there is none; *out is its number. */
static size_t character(const unsigned char *s, uint32_t *out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = *s < 0x80 ? 1 : *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
	uint32_t c = n == 1 ? *s : *s & (0xffu >> (n + 1));

	if (*s >= 0xf8 || (*s >= 0x80 && *s < 0xc0))
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*out = c;
	return n;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

char *text_printable(char *out, size_t n, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at = 0;

	while (*s && at + 1 < n) {
		uint32_t c = 0;
		size_t bytes = character(s, &c);

		if (!bytes || is_control(c)) {
			out[at++] = '?';
			s += bytes ? bytes : 1;
			continue;
		}
		if (at + bytes >= n)
			break;
		memcpy(out + at, s, bytes);
		at += bytes;
		s += bytes;
	}
	out[at] = '\0';
	return out;
}

void text_json(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putc('"', out);
	while (*s) {
		uint32_t c = 0;
		size_t bytes = character(s, &c);

		if (!bytes)
			fputs("\\ufffd", out);
		else if (is_control(c))
			fprintf(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (char)c);
		else
			fwrite(s, 1, bytes, out);
		s += bytes ? bytes : 1;
	}
	putc('"', out);
}

char *text_time(char *out, size_t n, const char *format, uint64_t seconds, bool utc)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!(utc ? gmtime_r(&t, &tm) : localtime_r(&t, &tm)) || !strftime(out, n, format, &tm))
		snprintf(out, n, "a time that cannot be");
	return out;
}

void text_unescape(char *text)
{
	char *to = text;

	for (char *from = text; *from; from++, to++) {
		unsigned int c;

		if (*from == '\\' && sscanf(from + 1, "%3o", &c) == 1) {
			*to = (char)c;
			from += 3;
		} else {
			*to = *from;
		}
	}
	*to = '\0';
}

void text_uuid(const uint8_t u[16], char out[TEXT_UUID_BYTES])
{
	snprintf(out, TEXT_UUID_BYTES,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
		 u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
		 u[15]);
}
