/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A kernel's command line, word by word. */
#ifndef CONFIG_CMDLINE_H
#define CONFIG_CMDLINE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define CMDLINE_MAX 4096

/*
 * The next word of *p, NUL-terminated in word, cut off at n; false at the end
 * or at "--", after which the words are init's. As the kernel does it (kernel
 * source: lib/cmdline.c, next_arg): spaces within double quotes do not end a
 * word; one pair of quotes around the word or its value is taken off.
 */
bool cmdline_next(const char **p, char *word, size_t n);

/* If word is NAME or NAME=VALUE ("-" and "_" being the same in names, as for
 * the kernel): true, and the value, or NULL without one, in *value. */
bool cmdline_is(const char *word, const char *name, const char **value);

/* The last NAME=VALUE of the line into out: false when there is none. A NAME
 * without value counts as an empty one. out may be NULL. */
bool cmdline_find(const char *cmdline, const char *name, char *out, size_t n);

/* All "console=" words of the line, separated by spaces; what does not fit is
 * left out. The kernel's last one stays the last. */
void cmdline_consoles(const char *cmdline, char *out, size_t n);

/* /proc/cmdline into out, without the newline. */
err_t cmdline_read(char *out, size_t n) ERR_CHECK;

#endif
