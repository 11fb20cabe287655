/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the next record of an XFS log will be written. The log is a ring of
 * sectors, each of which begins with the number of the round (cycle) in which it
 * was written: from its start to the head it is one number, behind the head a
 * smaller one.
 */
#ifndef FINGERPRINT_XFSLOG_H
#define FINGERPRINT_XFSLOG_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XFSLOG_SECTOR 512u

/* One sector of the log into buf. */
struct xfslog {
	uint64_t sectors;
	void *arg;
	err_t (*read)(void *arg, uint64_t sector, uint8_t buf[XFSLOG_SECTOR]);
};

/*
 * *head: its sector. *found = false when these sectors are no such ring (because
 * they are encrypted); then nothing can be said of where the next write goes.
 * The log must be at rest, all of it written (the filesystem frozen).
 */
err_t xfslog_head(const struct xfslog *log, uint64_t *head, bool *found) ERR_CHECK;

#endif
