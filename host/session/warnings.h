/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What makes the kernel panic when it warns, off for a moment (kernel source: kernel/panic.c,
 * check_panic_on_warn). */
#ifndef HOST_WARNINGS_H
#define HOST_WARNINGS_H

#define WARNINGS_SETTINGS 2

struct warnings {
	char before[WARNINGS_SETTINGS][16]; /* "" where nothing was changed */
};

/* folder: /proc/sys/kernel. What cannot be read or written is left as it is. */
void warnings_allow(const char *folder, struct warnings *w);
void warnings_restore(const char *folder, const struct warnings *w);

#endif
