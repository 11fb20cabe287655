/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/cmdline.h"

#include "base/io.h"
#include "base/util.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Take one pair of quotes off: "a b" or a="b c" or "a=b c". */
static void unquote(char *word)
{
	char *value = strchr(word, '=');
	char *quote = *word == '"' ? word : value && value[1] == '"' ? value + 1 : NULL;
	size_t n;

	if (!quote)
		return;
	memmove(quote, quote + 1, strlen(quote));
	n = strlen(word);
	if (n && word[n - 1] == '"')
		word[n - 1] = '\0';
}

bool cmdline_next(const char **p, char *word, size_t n)
{
	const char *s = *p;
	bool quoted = false;
	size_t used = 0;

	while (isspace((unsigned char)*s))
		s++;
	if (!*s)
		return false;
	for (; *s && (quoted || !isspace((unsigned char)*s)); s++) {
		if (*s == '"')
			quoted = !quoted;
		if (used + 1 < n)
			word[used++] = *s;
	}
	word[used] = '\0';
	*p = s;
	unquote(word);
	return strcmp(word, "--") != 0;
}

bool cmdline_is(const char *word, const char *name, const char **value)
{
	for (; *name; word++, name++) {
		char a = *word == '-' ? '_' : *word;
		char b = *name == '-' ? '_' : *name;

		if (a != b)
			return false;
	}
	if (*word && *word != '=')
		return false;
	*value = *word ? word + 1 : NULL;
	return true;
}

bool cmdline_find(const char *cmdline, const char *name, char *out, size_t n)
{
	char word[CMDLINE_MAX];
	bool found = false;

	while (cmdline_next(&cmdline, word, sizeof(word))) {
		const char *value;

		if (!cmdline_is(word, name, &value))
			continue;
		found = true;
		if (out)
			snprintf(out, n, "%s", value ? value : "");
	}
	return found;
}

void cmdline_consoles(const char *cmdline, char *out, size_t n)
{
	char word[CMDLINE_MAX];
	size_t used = 0;

	out[0] = '\0';
	while (cmdline_next(&cmdline, word, sizeof(word))) {
		const char *value;

		if (!cmdline_is(word, "console", &value) || used + strlen(word) + 2 > n)
			continue;
		used += (size_t)snprintf(out + used, n - used, "%s%s", used ? " " : "", word);
	}
}

err_t cmdline_read(char *out, size_t n)
{
	CLEANUP_FREE char *text = NULL;
	size_t bytes;

	TRY(io_read_file("/proc/cmdline", n - 1, &text, &bytes));
	while (bytes && isspace((unsigned char)text[bytes - 1]))
		text[--bytes] = '\0';
	memcpy(out, text, bytes + 1);
	return NULL;
}
