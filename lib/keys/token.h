/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tokens of systemd-cryptenroll in a header of dormouse setup (keys/luks.h): something
 * that this machine has, or somebody holds, opens a keyslot. libcryptsetup loads systemd's
 * plugin for it, and that what it needs. Errors as keys/luks.h has them.
 */
#ifndef KEYS_TOKEN_H
#define KEYS_TOKEN_H

#include "base/err.h"
#include "keys/secret.h"

#include <stdbool.h>

enum token_kind {
	TOKEN_TPM2,
	TOKEN_FIDO2,
	TOKEN_KINDS,
};

extern const char *const token_names[TOKEN_KINDS]; /* for people */

/* Tokens that want a PIN are counted apart: a boot asks for the passphrase instead. */
struct token_count {
	unsigned int usable[TOKEN_KINDS];
	unsigned int with_pin;
};

err_t token_count(const char *path, struct token_count *out) ERR_CHECK;

/* Is the header's token of this number one of those? */
struct crypt_device;
bool token_find(struct crypt_device *cd, int number, enum token_kind *kind, bool *with_pin);

/*
 * By the first token that gives the secret and asks for nothing but a touch. ERR_REFUSED:
 * there is none at all. ERR_AUTH: none of those that are there opens it here; the text
 * says of each why. On an error *out is unchanged. Plugins may print on stderr.
 */
err_t token_open(const char *path, struct secret *out) ERR_CHECK;

#endif
