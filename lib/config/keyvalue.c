/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/keyvalue.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define LINE_MAX_BYTES 1024

/* Without white space at both ends; changes s. */
static char *trimmed(char *s)
{
	char *end = s + strlen(s);

	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

static err_t take_line(char *line, keyvalue_fn fn, void *ctx)
{
	char *comment = strchr(line, '#');
	char *equals, *key;

	if (comment)
		*comment = '\0';
	key = trimmed(line);
	if (!*key)
		return NULL;
	equals = strchr(key, '=');
	if (!equals)
		return err_new(ERR_INVALID, "expected \"key = value\", got \"%s\"", key);
	*equals = '\0';
	key = trimmed(key);
	return err_context(fn(ctx, key, trimmed(equals + 1)), "%s", key);
}

err_t keyvalue_each(const char *text, size_t n, const char *name, keyvalue_fn fn, void *ctx)
{
	unsigned int number = 0;

	while (n) {
		const char *newline = memchr(text, '\n', n);
		size_t length = newline ? (size_t)(newline - text) : n;
		char line[LINE_MAX_BYTES];

		number++;
		if (length >= sizeof(line) || memchr(text, '\0', length))
			return err_new(ERR_INVALID, "%s line %u: too long, or not text", name,
				       number);
		memcpy(line, text, length);
		line[length] = '\0';
		TRY(err_context(take_line(line, fn, ctx), "%s line %u", name, number));
		text += length + (newline != NULL);
		n -= length + (newline != NULL);
	}
	return NULL;
}
