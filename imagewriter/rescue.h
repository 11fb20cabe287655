/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happens when the writer itself fails: its kernel panics, its program
 * crashes, a CPU hangs. As long as the image is not valid the host is intact
 * behind it, so a panic jumps back like any other failure: the way back is loaded
 * as this kernel's crash kernel (jump/trampoline.h), what the kernel can see of a
 * hang becomes a panic, and a report that says so waits in the host's pages.
 */
#ifndef IMAGEWRITER_RESCUE_H
#define IMAGEWRITER_RESCUE_H

#include "base/err.h"
#include "formats/handoff.h"
#include "imagewriter/watchdog.h"
#include "memory/hostmem.h"

#include <stdint.h>

/* From here on a panic jumps back. ERR_REFUSED: this kernel has no room for it. */
err_t rescue_arm(struct hostmem *mem, const struct handoff *h, uint64_t entry,
		 const struct watchdog *watchdog) ERR_CHECK;

/* Leave word for the host, should this be the last: that the writer crashed, and
 * the log so far. Not while the host's memory is being written: it must not change then. */
void rescue_leave_word(struct hostmem *mem, const struct hostinfo *host);

/* From here on a panic resets the machine, and nobody can ask for one by SysRq:
 * the last thing to do before the image may be valid. */
err_t rescue_disarm(void) ERR_CHECK;

/* Take the way back from a panic; without it, the machine resets. For when the other one
 * cannot be gone. */
void rescue_panic(void) __attribute__((noreturn));

#endif
