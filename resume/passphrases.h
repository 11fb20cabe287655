/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever opens the keyslots of an image: a token, the key file, a person. */
#ifndef RESUME_PASSPHRASES_H
#define RESUME_PASSPHRASES_H

#include "base/err.h"
#include "keys/secret.h"
#include "resume/options.h"

#include <stdbool.h>

#define PASSPHRASES_TRIES 3

/*
 * header: as opener_run wants it. what: names the image to the person. ERR_AUTH: nothing
 * opened it, and nothing is lost by that. ERR_ABORTED: somebody typed nothing, and wants
 * to do something else. Other errors: opener_run's; another try would end the same way.
 * *person: somebody was there. secret: in locked memory.
 */
err_t passphrases_try(const struct options *o, int header, const char *what, struct secret *secret,
		      bool *person) ERR_CHECK;

#endif
