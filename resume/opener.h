/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program that opens a LUKS2 header, run beside this one. */
#ifndef RESUME_OPENER_H
#define RESUME_OPENER_H

#include "base/err.h"
#include "keys/passphrase.h"
#include "keys/secret.h"

/* libcryptsetup is not to be had static; so it is in a program of its own, and that a
 * library is missing is an error like others, not a boot that goes on without a word. */
#define OPENER_PROGRAM "/usr/lib/dormouse/unlock"

/*
 * What it ends with; stderr then has a line that says why. Anything else, as 127 of the
 * dynamic loader: it could not even begin.
 */
enum opener_exit {
	OPENER_OPENED = 0,  /* stdout has the secret */
	OPENER_FAILED = 10, /* ERR_IO */
	OPENER_WRONG,	    /* ERR_AUTH: the passphrase */
	OPENER_NOTHING,	    /* ERR_REFUSED: no keyslot, or no token */
	OPENER_DAMAGED,	    /* ERR_CORRUPT */
	OPENER_TOO_LARGE,   /* ERR_NOMEM */
};

/*
 * header: a file, open for reading and writing, of this process alone. passphrase NULL:
 * by a token. Errors as keys/luks.h has them; ERR_IO also when the program cannot be run,
 * for want of a library perhaps. secret: in locked memory; on an error it is unchanged.
 */
err_t opener_run(const char *program, int header, const struct passphrase *passphrase,
		 struct secret *secret) ERR_CHECK;

#endif
