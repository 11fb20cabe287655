/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "imagewriter/memwatch.h"

#include "base/log.h"
#include "base/util.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

void memwatch_init(struct memwatch *m)
{
	m->least_kib = UINT64_MAX;
}

/* Into a buffer of its own: memory is what is short. */
void memwatch_tick(struct memwatch *m)
{
	CLEANUP_CLOSE int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	unsigned long long kib;
	char text[512];
	const char *line;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return;
	text[n] = '\0';
	line = strstr(text, "MemAvailable:");
	if (line && sscanf(line, "MemAvailable: %llu", &kib) == 1)
		m->least_kib = min_u64(m->least_kib, kib);
}

void memwatch_log(const struct memwatch *m)
{
	if (m->least_kib != UINT64_MAX)
		log_info("memory: %.1f MiB of the window were never used",
			 (double)m->least_kib / 1024);
}
