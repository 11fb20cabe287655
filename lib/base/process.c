/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

void process_fill_standard(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) >= 0) {
		if (fd <= STDERR_FILENO)
			continue;
		close(fd);
		return;
	}
}

void process_hide(void)
{
	const struct rlimit none = {0, 0};

	/* Either would do, but for a core_pattern that is a pipe, which knows no limit. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
}
