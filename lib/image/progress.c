/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/progress.h"

#include "base/util.h"

#include <stdio.h>
#include <string.h>

#define BAR_WIDTH 30

void progress_line(char *out, size_t n, const char *verb, const struct image_progress *p,
		   double seconds, bool last)
{
	double share = p->total_pages ? (double)p->done_pages / (double)p->total_pages : 1;
	double mib = (double)p->data_pages * PAGE_BYTES / (double)MIB;
	char bar[BAR_WIDTH + 1], rest[64] = "";

	memset(bar, '.', BAR_WIDTH);
	memset(bar, '#', (size_t)(share * BAR_WIDTH));
	bar[BAR_WIDTH] = '\0';
	if (last)
		snprintf(rest, sizeof(rest), " in %.1f s        ", seconds);
	else if (share > 0.02)
		snprintf(rest, sizeof(rest), ", %.0f s left   ", seconds / share - seconds);
	snprintf(out, n, "%s [%s] %3.0f %%  %.0f MiB, %.0f MiB/s%s", verb, bar, share * 100, mib,
		 seconds > 0 ? mib / seconds : 0, rest);
}
