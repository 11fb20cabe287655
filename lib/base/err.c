/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 512

struct err {
	enum err_kind kind;
	char text[TEXT_MAX];
};

/* Handed out when there is no memory even for an error. */
static struct err no_memory = {ERR_NOMEM, "out of memory"};

static err_t err_vnew(enum err_kind kind, const char *fmt, va_list ap)
{
	struct err *e = malloc(sizeof(*e));

	if (!e)
		return &no_memory;
	e->kind = kind;
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	return e;
}

err_t err_new(enum err_kind kind, const char *fmt, ...)
{
	va_list ap;
	err_t e;

	va_start(ap, fmt);
	e = err_vnew(kind, fmt, ap);
	va_end(ap);
	return e;
}

static enum err_kind kind_of_errno(int no)
{
	switch (no) {
	case ENOSPC:
		return ERR_NOSPACE;
	case ENOMEM:
		return ERR_NOMEM;
	default:
		return ERR_IO;
	}
}

err_t err_errno(const char *fmt, ...)
{
	int no = errno;
	va_list ap;
	size_t n;
	err_t e;

	va_start(ap, fmt);
	e = err_vnew(kind_of_errno(no), fmt, ap);
	va_end(ap);
	if (e == &no_memory)
		return e;
	n = strlen(e->text);
	snprintf(e->text + n, sizeof(e->text) - n, ": %s", strerror(no));
	return e;
}

err_t err_context(err_t e, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	size_t n;

	if (!e || e == &no_memory)
		return e;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = strlen(text);
	snprintf(text + n, sizeof(text) - n, ": %s", e->text);
	memcpy(e->text, text, sizeof(text));
	return e;
}

enum err_kind err_kind(err_t e)
{
	return e->kind;
}

const char *err_text(err_t e)
{
	return e->text;
}

const char *err_kind_name(enum err_kind kind)
{
	static const char *const names[] = {
		[ERR_IO] = "I/O error",
		[ERR_NOMEM] = "out of memory",
		[ERR_NOSPACE] = "no space",
		[ERR_FORMAT] = "not an image",
		[ERR_UNSUPPORTED] = "unsupported",
		[ERR_CORRUPT] = "damaged",
		[ERR_AUTH] = "not authentic",
		[ERR_INVALID] = "invalid",
		[ERR_REFUSED] = "refused",
		[ERR_ABORTED] = "aborted",
	};

	if (kind < ERR_IO || kind > ERR_ABORTED)
		return "unknown error";
	return names[kind];
}

void err_free(err_t e)
{
	if (e != &no_memory)
		free(e);
}

err_t err_first(err_t first, err_t second)
{
	if (!first)
		return second;
	err_free(second);
	return first;
}
