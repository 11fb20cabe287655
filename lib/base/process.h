/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

/* First thing in main: what of standard input, output and error was closed becomes /dev/null,
 * or a disk that is opened next might get their messages. */
void process_fill_standard(void);

/* This process leaves no core dump, and no debugger that is not root's may look at it:
 * it is about to hold secrets. */
void process_hide(void);

#endif
