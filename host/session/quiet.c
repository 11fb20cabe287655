/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session/quiet.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

void quiet_begin(struct quiet *q)
{
	int memory;

	fflush(stdout);
	fflush(stderr);
	q->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	memory = memfd_create("dormouse-messages", MFD_CLOEXEC);
	if (memory < 0)
		memory = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (memory < 0 || dup2(memory, STDERR_FILENO) < 0)
		close(STDERR_FILENO); /* nothing can block then */
	if (memory >= 0)
		close(memory);
}

void quiet_end(struct quiet *q)
{
	char buf[512];
	off_t at = 0;
	ssize_t n;

	if (q->saved < 0)
		return;
	fflush(stderr);
	while ((n = pread(STDERR_FILENO, buf, sizeof(buf), at)) > 0 &&
	       write(q->saved, buf, (size_t)n) == n)
		at += n;
	dup2(q->saved, STDERR_FILENO);
	close(q->saved);
	q->saved = -1;
}
