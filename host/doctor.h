/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HOST_DOCTOR_H
#define HOST_DOCTOR_H

#include "base/err.h"
#include "config/config.h"

/* To stdout: every check and what it found. ERR_REFUSED when this machine
 * cannot hibernate as it is. */
err_t doctor_print(const struct config *config) ERR_CHECK;

#endif
