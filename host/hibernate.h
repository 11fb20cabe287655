/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HOST_HIBERNATE_H
#define HOST_HIBERNATE_H

#include "base/err.h"
#include "config/config.h"

/*
 * Write this machine's memory to the target and power off, reboot or return.
 * Comes back when the session goes on, by whatever way, with the exit code
 * (host/exitcode.h); an error says why it is not 0.
 */
err_t hibernate_run(const struct config *config, int *exit_code) ERR_CHECK;

#endif
