/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever opens keyslots: a token, the key file, a person. */
#ifndef RESUME_PASSPHRASES_H
#define RESUME_PASSPHRASES_H

#include "base/err.h"
#include "keys/passphrase.h"
#include "resume/opener.h"
#include "resume/options.h"

#include <stdbool.h>

#define PASSPHRASES_TRIES 3

/*
 * want: as opener_run takes it; without an option a token is tried first. what: names to the
 * person what is opened. known: NULL, or in locked memory what somebody has typed for
 * something else just now: it is tried before they are asked again; what they type that opens
 * this is in it then. ERR_AUTH: nothing
 * opened it, and nothing is lost by that. ERR_ABORTED: somebody typed nothing, and wants
 * to do something else. Other errors: opener_run's; another try would end the same way.
 * *person: somebody was there. out: in locked memory, of want->bytes.
 */
err_t passphrases_try(const struct options *o, const struct opener *want, const char *what,
		      struct passphrase *known, void *out, bool *person) ERR_CHECK;

#endif
