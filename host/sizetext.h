/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HOST_SIZETEXT_H
#define HOST_SIZETEXT_H

#include "base/err.h"

#include <stdint.h>

/* "8G", "512M": bytes, a multiple of 4096. ERR_INVALID: it is no size. */
err_t sizetext_parse(const char *text, uint64_t *out) ERR_CHECK;

#endif
