/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A passphrase, typed at a terminal or read from a file. */
#ifndef KEYS_PASSPHRASE_H
#define KEYS_PASSPHRASE_H

#include "base/err.h"

#include <stddef.h>

#define PASSPHRASE_MAX 4096u

/* To be kept in locked memory. Any bytes: a key file need not be text. */
struct passphrase {
	size_t n;
	char text[PASSPHRASE_MAX];
};

/* Empty, in locked memory; destroy wipes it, and takes NULL. */
err_t passphrase_create(struct passphrase **out) ERR_CHECK;
void passphrase_destroy(struct passphrase *p);

/*
 * Show the prompt on out and read a line from in, a terminal, which shows nothing of
 * it, or not one. Backspace and Ctrl-U work; what was typed before does not count; what is too
 * long is cut off. ERR_ABORTED: Ctrl-C, or Ctrl-D on an empty line. ERR_IO: there is nobody.
 */
err_t passphrase_ask(int in, int out, const char *prompt, struct passphrase *p) ERR_CHECK;

/*
 * All bytes of a file, or of standard input for "-", as cryptsetup takes them: a newline
 * at the end is part of it. ERR_INVALID: too long, or empty.
 */
err_t passphrase_load(const char *path, struct passphrase *p) ERR_CHECK;

#endif
