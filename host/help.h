/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What --help says of options and exit codes. */
#ifndef HOST_HELP_H
#define HOST_HELP_H

/* By the letters that main.c has for them; and --help. */
void help_options(const char *letters);
void help_exit_codes(void);

#endif
