/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The host behind the writer, or to be put back: its memory, its report, the way to it. */
#ifndef IMAGEWRITER_HOST_H
#define IMAGEWRITER_HOST_H

#include "base/err.h"
#include "formats/handoff.h"
#include "formats/report.h"
#include "imagewriter/watchdog.h"
#include "memory/hostmem.h"

/* The jump-back entry that the entry stub has kept. ERR_CORRUPT when the
 * mailbox is not there. */
err_t host_read_mailbox(uint64_t mailbox, uint64_t *entry, uint64_t *tsc) ERR_CHECK;

/* Leave a report in the host's pages. ERR_FORMAT when they are not where the
 * host said. */
err_t host_report(struct hostmem *mem, const struct hostinfo *info, const struct report *report)
	ERR_CHECK;

/* Load the way to the host's jump-back entry: all of the jump that can fail for
 * lack of something. On it the windows are wiped: what the host gets back in
 * exchange for them is nothing of the writer's. */
err_t host_prepare_jump(uint64_t trampoline, uint64_t entry, const struct range_list *windows,
			const struct watchdog *watchdog) ERR_CHECK;

/* Into the host. Returns only with an error. */
err_t host_jump(void) ERR_CHECK;

#endif
