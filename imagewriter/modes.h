/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the writer can be asked to do. Neither comes back: they end the machine's
 * time in this kernel in one way or another. */
#ifndef IMAGEWRITER_MODES_H
#define IMAGEWRITER_MODES_H

#include "formats/handoff.h"

#include <stdint.h>

/* Write the host's memory, then power off, reboot or jump back. entry: the
 * jump-back entry. Every failure before the image is valid jumps back. */
void hibernate_run(struct handoff *h, uint64_t entry) __attribute__((noreturn));

/* Put the image's memory back and jump into it. A failure is recorded in the
 * image, which stays valid, and the machine reboots. */
void restore_run(struct handoff *h) __attribute__((noreturn));

#endif
