/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kexec_load(2) of the writer: segments, boot_params and e820 of our own (why
 * not kexec-tools: docs/design.md, "Traps").
 */
#ifndef JUMP_LOADER_H
#define JUMP_LOADER_H

#include "base/err.h"
#include "base/range.h"
#include "jump/writer_files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loader_options {
	const struct writer_files *writer;
	const struct range_list *memory; /* the firmware's map */
	struct range main;		 /* main window */
	const struct range_list *low;	 /* low window */
	bool la57;			 /* paging mode that the writer must run in */
	const char *cmdline;		 /* added to what every writer gets */
	uint32_t tsc_khz;		 /* jump/tsc.h; 0: not known */
	const uint8_t *handoff;		 /* a cpio archive (formats/cpio.h) with the handoff,
					  * appended to the writer's initramfs */
	size_t handoff_bytes;

	/*
	 * true: a jump from a live host, which wants its memory back; every page
	 * of the windows is in a segment. false: plain kexec, only what must be
	 * loaded.
	 */
	bool preserve_context;
};

/* Where things are in the main window, for the handoff that is made before loading. */
uint64_t loader_mailbox(struct range main);
uint64_t loader_trampoline(struct range main);

/* Is this kernel's paging in 5 levels? */
bool loader_la57_now(void);

/*
 * Replaces whatever was loaded. ERR_REFUSED when the kernel says that it may not
 * (lockdown, kexec_load_disabled), ERR_NOMEM when there is not enough memory for
 * the windows' copies, ERR_INVALID when the writer does not fit into the window.
 * A kernel without KEXEC_JUMP does not take preserve_context: ERR_IO.
 */
err_t loader_load(const struct loader_options *options) ERR_CHECK;

err_t loader_unload(void) ERR_CHECK;

/*
 * Go there. With preserve_context this returns NULL once the host has been
 * jumped back into, by whatever way; otherwise it returns only with an error.
 * The one caller in each program is its main path.
 */
err_t loader_jump(void) ERR_CHECK;

#endif
