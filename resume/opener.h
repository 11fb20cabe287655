/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program that opens a LUKS2 header, run beside this one. */
#ifndef RESUME_OPENER_H
#define RESUME_OPENER_H

#include "base/err.h"
#include "keys/passphrase.h"

#include <stddef.h>

/* libcryptsetup is not to be had static; so it is in a program of its own, and that a
 * library is missing is an error like others, not a boot that goes on without a word. */
#define OPENER_PROGRAM "/usr/lib/dormouse/unlock"

/*
 * What it ends with; stderr then has a line with OPENER_MESSAGE that says why. Anything else,
 * as 127 of the dynamic loader: it could not even begin.
 */
enum opener_exit {
	OPENER_OPENED = 0,  /* stdout has what was asked for */
	OPENER_FAILED = 10, /* ERR_IO */
	OPENER_WRONG,	    /* ERR_AUTH: the passphrase, or all tokens */
	OPENER_NOTHING,	    /* ERR_REFUSED: no keyslot, or no token */
	OPENER_DAMAGED,	    /* ERR_CORRUPT */
	OPENER_TOO_LARGE,   /* ERR_NOMEM: it takes more memory, or time, than there is */
};

#define OPENER_MESSAGE "dormouse-unlock: "

/* What is wanted of it, and from which LUKS header. */
struct opener {
	const char *program;
	int header; /* open for reading and writing: a file of this process alone, or a device */
	const char *option; /* NULL, or OPENER_... */
	size_t bytes;	    /* that it gives */
};

#define OPENER_VOLUME "--volume" /* struct encrypted_area of a LUKS device, by passphrase */
#define OPENER_MARKED "--marked" /* its mark of an image, a byte; OPENER_NOTHING: it has none */
/* Nothing: the mark is taken away, or says (keys/volume.h) what a boot has decided. */
#define OPENER_UNMARK  "--unmark"
#define OPENER_SKIP    "--skip"
#define OPENER_DISCARD "--discard"
#define OPENER_TOKEN   "--token" /* the secret, without a passphrase */

/*
 * passphrase NULL: none is given. Errors as keys/luks.h and keys/token.h have them; ERR_IO
 * also when the program cannot be run, for want of a library perhaps. out: in locked memory, of
 * o->bytes; on an error it is unchanged.
 */
err_t opener_run(const struct opener *o, const struct passphrase *passphrase, void *out) ERR_CHECK;

#endif
