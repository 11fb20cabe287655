/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/record.h"

#include "base/util.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LINE_BYTES 512

void record_kernel_log(const char *text)
{
	CLEANUP_CLOSE int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[LINE_BYTES];
	int n = snprintf(line, sizeof(line), "<5>dormouse: %s\n", text);

	/* One write is one record, whole or not at all. */
	if (fd >= 0 && write(fd, line, min_u64((uint64_t)n, sizeof(line) - 1)) < 0)
		return;
}

static void log_lines(const char *log)
{
	while (*log) {
		size_t n = strcspn(log, "\n");
		char line[LINE_BYTES];

		snprintf(line, sizeof(line), "| %.*s", (int)n, log);
		if (n)
			record_kernel_log(line);
		log += n + (log[n] == '\n');
	}
}

err_t record_write(const char *outcome, const char *log, const char *kernel_log)
{
	time_t now = time(NULL);
	struct tm tm;
	char when[64];
	FILE *f;

	record_kernel_log(outcome);
	log_lines(log);
	log_lines(kernel_log);
	strftime(when, sizeof(when), "%F %T %z", localtime_r(&now, &tm));
	mkdir(RECORD_DIR, 0700);
	f = fopen(RECORD_PATH ".new", "we");
	if (!f)
		return err_errno("writing " RECORD_PATH);
	fprintf(f, "%s: %s\n", when, outcome);
	if (*log)
		fprintf(f, "last lines of the log:\n%s", log);
	if (*kernel_log)
		fprintf(f, "its kernel's last lines:\n%s", kernel_log);
	if (fclose(f) || rename(RECORD_PATH ".new", RECORD_PATH))
		return err_errno("writing " RECORD_PATH);
	return NULL;
}
