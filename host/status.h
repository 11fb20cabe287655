/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HOST_STATUS_H
#define HOST_STATUS_H

#include "base/err.h"
#include "config/config.h"

/* To stdout: what the last hibernation of this boot did, and what the target
 * holds. The target may be a file, on any machine. */
err_t status_print(const struct config *config) ERR_CHECK;

#endif
