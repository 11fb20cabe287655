/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What somebody can do by hand so that every boot overlooks what is on a target. */
#ifndef HOST_WIPE_H
#define HOST_WIPE_H

#include "host/disks/location.h"

#include <stddef.h>

#define WIPE_TEXT_MAX 512

/* The commands, for any size of sector; n bytes of out. */
void wipe_say(const struct location *l, char *out, size_t n);

#endif
