/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HOST_ENTROPY_H
#define HOST_ENTROPY_H

#include "base/err.h"

#include <stddef.h>

/*
 * After a return: the kernel's random pool is that of the moment of the jump,
 * and no notifier told it (drivers/char/random.c reseeds on PM_POST_SUSPEND and
 * PM_RESTORE_PREPARE only). Mix in what differs now (clocks, the CPU's own
 * generator, extra) without claiming entropy for it, and reseed.
 */
err_t entropy_stir(const void *extra, size_t n) ERR_CHECK;

#endif
