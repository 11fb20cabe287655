/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jump/cpufeature.h"

#include "base/io.h"
#include "base/util.h"

#include <string.h>

static bool has_flag(const char *flag)
{
	CLEANUP_FREE char *text = NULL;
	size_t n, len = strlen(flag);
	err_t e = io_read_file("/proc/cpuinfo", 64 << 20, &text, &n);
	const char *p, *end;

	if (e) {
		err_free(e);
		return false;
	}
	p = strstr(text, "\nflags");
	end = p ? strchr(p + 1, '\n') : NULL;
	while (p && end && (p = strstr(p, flag)) && p < end) {
		if (p[-1] == ' ' && (p[len] == ' ' || p[len] == '\n'))
			return true;
		p += len;
	}
	return false;
}

bool cpufeature_la57_on(void)
{
	return has_flag("la57");
}

bool cpufeature_giant_pages(void)
{
	return has_flag("pdpe1gb");
}
