/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The copy of the keyslots that a sealed image has with it, opened by a passphrase. Nobody
 * vouches for the copy: who could write to the image may have put their own there. So
 * what it gives must open the image's sealed key, and even then says only that the image
 * is of somebody who knew that passphrase.
 */
#ifndef HOST_KEYSLOTS_H
#define HOST_KEYSLOTS_H

#include "base/err.h"
#include "formats/slot.h"
#include "keys/secret.h"
#include "target/target.h"

#include <stdbool.h>

#define KEYSLOTS_TRIES 3

/* By what is in a file, or in "-", standard input: every byte of it. ERR_AUTH: it opens none,
 * or the image has none, or is not sealed. ERR_CORRUPT: they are damaged. ERR_REFUSED: none is
 * in use. ERR_NOMEM: they take too much. out: in locked memory. */
err_t keyslots_open(const struct target *t, const struct slot *slot, const char *key_file,
		    struct secret *out) ERR_CHECK;

/*
 * The same by a person, who has KEYSLOTS_TRIES. *opened is false when nothing was typed, or
 * nobody can be asked: standard input is no terminal, or there are no keyslots. ERR_ABORTED:
 * Ctrl-C.
 */
err_t keyslots_ask(const struct target *t, const struct slot *slot, struct secret *out,
		   bool *opened) ERR_CHECK;

#endif
