/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which keyslots of a header of dormouse setup (keys/luks.h) a boot of this machine will be able
 * to open: asked before anything is sealed for what is behind them. Only keyslots that a boot
 * tries, and that cost no more than it can pay, count; one that was made for a token not
 * without that token, since nobody knows its passphrase.
 */
#ifndef KEYS_OPENABLE_H
#define KEYS_OPENABLE_H

#include "base/err.h"
#include "keys/luks.h"
#include "keys/token.h"

#include <stdbool.h>
#include <stddef.h>

struct openable_keyslot {
	int number;
	bool passphrase;    /* opens it */
	unsigned int kinds; /* of enum token_kind a bit each: such a token opens it */
	char why[192];	    /* neither: why not */
};

struct openable {
	unsigned int count; /* of keyslots in use */
	struct openable_keyslot keyslots[LUKS_KEYSLOTS];
};

#define OPENABLE_ALL_KINDS ((1u << TOKEN_KINDS) - 1)

/* memory: bytes that a boot has for it. Errors as keys/luks.h has them. */
err_t openable_look(const char *path, uint64_t memory, struct openable *out) ERR_CHECK;

/* By a boot that can use tokens of these kinds. */
bool openable_is(const struct openable_keyslot *k, unsigned int kinds);
unsigned int openable_count(const struct openable *o, unsigned int kinds);

/* What a boot will have for it: most of this machine's memory. */
uint64_t openable_memory(void);

/* For people, into n bytes: of each that cannot be opened why not. Empty: all can. */
void openable_explain(const struct openable *o, unsigned int kinds, char *text, size_t n);

#endif
