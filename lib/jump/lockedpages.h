/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages of this process whose physical addresses another kernel will use. */
#ifndef JUMP_LOCKEDPAGES_H
#define JUMP_LOCKEDPAGES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* count zeroed pages, locked and present; munmap() them. */
err_t lockedpages_create(size_t count, uint8_t **out) ERR_CHECK;

/* Their physical addresses now (/proc/self/pagemap). Locked pages can still be
 * migrated: ask again just before the jump, and load again if one moved. */
err_t lockedpages_where(const uint8_t *pages, size_t count, uint64_t *physical) ERR_CHECK;

#endif
