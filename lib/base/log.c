/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TAIL_BYTES 2048
#define LINE_BYTES 512

static const char *program_name = "dormouse";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char tail[TAIL_BYTES];

void log_init(const char *program)
{
	program_name = program;
}

/* Drop whole lines from the front until n more bytes fit. */
static void tail_make_room(size_t n)
{
	while (strlen(tail) + n + 1 > sizeof(tail)) {
		char *next = strchr(tail, '\n');

		if (!next) {
			tail[0] = '\0';
			return;
		}
		memmove(tail, next + 1, strlen(next + 1) + 1);
	}
}

static void log_line(const char *level, const char *fmt, va_list ap)
{
	char line[LINE_BYTES];
	int n = snprintf(line, sizeof(line), "%s: %s", program_name, level);

	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	pthread_mutex_lock(&lock);
	fprintf(stderr, "%s\n", line);
	tail_make_room(strlen(line) + 1);
	strcat(tail, line);
	strcat(tail, "\n");
	pthread_mutex_unlock(&lock);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("warning: ", fmt, ap);
	va_end(ap);
}

void log_put_first(const char *lines)
{
	char ours[TAIL_BYTES];
	size_t n = strlen(lines);

	pthread_mutex_lock(&lock);
	memcpy(ours, tail, sizeof(ours));
	/* Their last bytes, from the beginning of a line on. */
	if (n >= sizeof(tail)) {
		lines = strchr(lines + n - sizeof(tail) + 1, '\n');
		lines = lines ? lines + 1 : "";
	}
	strcpy(tail, lines);
	tail_make_room(strlen(ours));
	strcat(tail, ours);
	pthread_mutex_unlock(&lock);
}

const char *log_tail(void)
{
	return tail;
}
