/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line each, to stderr (the console, in the writer), with the program's name. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/* Once, first thing in main: the name before each line. Borrowed for good. */
void log_init(const char *program);

void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Lines that another program has logged before: they come before ours in log_tail. */
void log_put_first(const char *lines);

/* The last lines logged, oldest first, joined by newlines; for the report
 * that the writer leaves to the host. Borrowed; changed by the next log call. */
const char *log_tail(void);

#endif
