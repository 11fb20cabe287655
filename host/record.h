/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What became of the last hibernation: for people, for `dormouse status`, and
 * in the kernel's log. */
#ifndef HOST_RECORD_H
#define HOST_RECORD_H

#include "base/err.h"

#define RECORD_DIR  "/run/dormouse"
#define RECORD_PATH RECORD_DIR "/last"

/* A line into the kernel's log; not being able to is no error. */
void record_kernel_log(const char *text);

/*
 * outcome: one line; log: lines of the boot kernel's program and the writer's, kernel_log: of its
 * kernel's; both may be empty. Into the kernel's log and, replacing what was there, into
 * RECORD_PATH.
 */
err_t record_write(const char *outcome, const char *log, const char *kernel_log) ERR_CHECK;

#endif
