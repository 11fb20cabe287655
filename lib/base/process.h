/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

/* This process leaves no core dump, and no debugger that is not root's may look at it:
 * it is about to hold secrets. */
void process_hide(void);

#endif
