/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way back from the writer into the host. */
#ifndef JUMP_TRAMPOLINE_H
#define JUMP_TRAMPOLINE_H

#include "base/err.h"

#include <stdint.h>

/*
 * Load it: at is its place in the main window (loader_trampoline), entry the
 * host's jump-back entry. loader_jump then goes there and does not come back.
 */
err_t trampoline_load(uint64_t at, uint64_t entry) ERR_CHECK;

#endif
