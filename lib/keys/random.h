/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KEYS_RANDOM_H
#define KEYS_RANDOM_H

#include "base/err.h"

#include <stddef.h>

/* From the kernel's generator, once it has been seeded: the only source that this
 * project makes keys of. Errors are getrandom's. */
err_t random_bytes(void *out, size_t n) ERR_CHECK;

#endif
