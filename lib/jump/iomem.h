/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef JUMP_IOMEM_H
#define JUMP_IOMEM_H

#include "base/range.h"

#include <stdbool.h>

/*
 * The ranges of /proc/iomem whose name begins so ("Crash kernel", "Kernel ").
 * false when there are none, or they cannot be read (not root: all zero).
 */
bool iomem_find(const char *prefix, struct range_list *out);

#endif
