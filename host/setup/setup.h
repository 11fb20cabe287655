/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `dormouse setup`: keys and targets, so that hibernating needs nothing more. */
#ifndef HOST_SETUP_H
#define HOST_SETUP_H

#include "base/err.h"
#include "config/config.h"
#include "config/pins.h"

#include <stdbool.h>
#include <stdint.h>

struct setup_options {
	uint64_t size;	      /* bytes of a file that is made; 0: as many as are needed */
	const char *key_file; /* the passphrase is in it; "-": on standard input; NULL: asked */
	bool rekey;	      /* a new secret, which makes all that was before worthless */
	bool no_initramfs;    /* leave the initramfs as it is */
};

/*
 * Keys, unless there are some; then the targets; then the initramfs. May be repeated. Prints
 * what it does.
 */
err_t setup_run(const struct config *config, const struct setup_options *o) ERR_CHECK;

/*
 * setup_keys.c: make the secret and all that is of it, if there is none or it is to be
 * replaced. pins: those that there are; on success those that hold now, on the disk too;
 * *replaced: others held before.
 * SIGINT and the like wait while more than one file changes.
 */
err_t setup_keys(const struct setup_options *o, struct pins *pins, bool *replaced) ERR_CHECK;

/* setup_files.c: the file of pins, replaced as a whole, flushed. */
err_t setup_put_pins(const struct pins *pins) ERR_CHECK;

#endif
