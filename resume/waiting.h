/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disks appear a little after the kernel starts its first program, some much later. */
#ifndef RESUME_WAITING_H
#define RESUME_WAITING_H

#include "resume/options.h"

#include <stdbool.h>

/* Is the device of the options' i-th target there, or a disk that may be the pinned one? */
bool waiting_is_there(const struct options *o, unsigned int i);

/*
 * Until all targets are there, or o->wait_seconds have gone by, or somebody at the console
 * ends it: after some seconds it is said there what is waited for. What nothing can bring up at
 * this time is not waited for: names of the device mapper, and files, without a pin; on these
 * the host makes no image.
 */
void waiting_for_targets(const struct options *o);

#endif
