/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An attempt to hibernate that failed: what is taken back before the host runs again. */
#ifndef IMAGEWRITER_GIVEUP_H
#define IMAGEWRITER_GIVEUP_H

#include "formats/slot.h"
#include "image/commit.h"
#include "target/target.h"

#include <stdbool.h>

/*
 * Retire what is on the target, with this reason, and overwrite the sealed key, which lies
 * where slot says, as image_writer_run has left it. valid_begun: a slot on the medium may
 * say VALID. false: it may yet, so the host must not run. Logs what fails.
 */
bool giveup(const struct target *t, struct commit *c, const struct slot *slot, bool valid_begun,
	    const char *reason);

#endif
