/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What to resume from: arguments, the kernel's command line, configuration. */
#ifndef RESUME_OPTIONS_H
#define RESUME_OPTIONS_H

#include "base/err.h"
#include "config/config.h"
#include "config/pins.h"
#include "jump/tsc.h"

#include <stdbool.h>

struct options {
	struct tsc_sample started; /* when the program began */
	char targets[CONFIG_TARGETS_MAX][CONFIG_TEXT_MAX];
	unsigned int target_count;
	char writer_dir[CONFIG_TEXT_MAX];
	char writer_cmdline[1024];
	unsigned int wait_seconds;   /* for the targets' devices to appear, all together */
	unsigned int answer_seconds; /* for a person to answer a question; 0: do not ask */
	enum config_resume unanswered;
	bool encrypt;	  /* images that are not encrypted are not believed */
	struct pins pins; /* where targets are that are no devices, and whose images */
	char key_file[CONFIG_TEXT_MAX]; /* empty: none */
	const char *opener;		/* program that opens keyslots */
	bool help;
	bool skip;    /* noresume */
	bool retry;   /* although resuming failed before */
	bool discard; /* retire the image instead */
};

/*
 * The targets: dormouse.target= on the kernel's command line (several: separated by
 * commas), or those of --target, or the configuration file's, or those that setup has chosen.
 * ERR_INVALID for wrong arguments or a bad configuration file.
 */
err_t options_read(int argc, char **argv, struct options *out) ERR_CHECK;

#endif
