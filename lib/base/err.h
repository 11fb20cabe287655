/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Errors as values. NULL is success; anything else is owned by the caller, who
 * hands it up, adds context to it, or frees it. The kind decides what happens
 * next (resume keeps an image it cannot read, and never uses one it cannot
 * trust); the text is for people.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

enum err_kind {
	ERR_IO = 1,	 /* a device or system call failed */
	ERR_NOMEM,	 /* no memory */
	ERR_NOSPACE,	 /* the target is full or too small */
	ERR_FORMAT,	 /* not ours: no image here */
	ERR_UNSUPPORTED, /* ours, but newer than we are */
	ERR_CORRUPT,	 /* ours, and damaged */
	ERR_AUTH,	 /* ours, and not made by who it should be */
	ERR_INVALID,	 /* the caller, the user or the configuration is wrong */
	ERR_REFUSED,	 /* this machine, target or image does not fit; nothing was changed */
	ERR_ABORTED,	 /* somebody pressed a key, or a time limit ended it */
};

struct err;
typedef struct err *err_t;

#define ERR_CHECK __attribute__((warn_unused_result))

/* A new error with a text without newline. Never NULL, also without memory. */
err_t err_new(enum err_kind kind, const char *fmt, ...) __attribute__((format(printf, 2, 3)))
ERR_CHECK;

/* The same from errno: its text is appended, and it chooses between
 * ERR_NOSPACE, ERR_NOMEM and ERR_IO. */
err_t err_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2))) ERR_CHECK;

/* Put "text: " before an error's text; takes e and returns it. e may be NULL. */
err_t err_context(err_t e, const char *fmt, ...) __attribute__((format(printf, 2, 3))) ERR_CHECK;

enum err_kind err_kind(err_t e);
const char *err_text(err_t e); /* borrowed, lives as long as e */
const char *err_kind_name(enum err_kind kind);
void err_free(err_t e); /* e may be NULL */

/* Keep the first of two errors, free the second; either may be NULL. */
err_t err_first(err_t first, err_t second) ERR_CHECK;

#define TRY(expr)                                                                                  \
	do {                                                                                       \
		err_t try_err_ = (expr);                                                           \
		if (try_err_)                                                                      \
			return try_err_;                                                           \
	} while (0)

#endif
