/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What to resume from: arguments, the kernel's command line, configuration. */
#ifndef RESUME_OPTIONS_H
#define RESUME_OPTIONS_H

#include "base/err.h"
#include "config/config.h"
#include "jump/tsc.h"

#include <stdbool.h>

struct options {
	struct tsc_sample started;    /* when the program began */
	char target[CONFIG_TEXT_MAX]; /* empty: none is set */
	char writer_dir[CONFIG_TEXT_MAX];
	char writer_cmdline[1024];
	unsigned int wait_seconds; /* for the target's device to appear */
	bool help;
	bool skip;    /* noresume */
	bool retry;   /* although resuming failed before */
	bool discard; /* retire the image instead */
};

/*
 * The target: dormouse.target= on the kernel's command line, or --target, or
 * the configuration file's. ERR_INVALID for wrong arguments or a bad
 * configuration file.
 */
err_t options_read(int argc, char **argv, struct options *out) ERR_CHECK;

#endif
