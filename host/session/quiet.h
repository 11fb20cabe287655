/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages while everything is frozen: a stderr that is a file would block for ever, and so
 * would a pipe that is full, or a terminal that was stopped by ^S. It is replaced by
 * memory meanwhile.
 */
#ifndef HOST_QUIET_H
#define HOST_QUIET_H

struct quiet {
	int saved; /* the real stderr; -1: there is none */
};

/* Before freezing. Without memory stderr goes to nowhere. */
void quiet_begin(struct quiet *q);

/* After thawing: what was said meanwhile comes out now. */
void quiet_end(struct quiet *q);

#endif
