/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jump/iomem.h"

#include <stdio.h>
#include <string.h>

bool iomem_find(const char *prefix, struct range_list *out)
{
	FILE *f = fopen("/proc/iomem", "re");
	unsigned long long start, end;
	char line[256], name[128];

	out->count = 0;
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " %llx-%llx : %127[^\n]", &start, &end, name) == 3 && end &&
		    !strncmp(name, prefix, strlen(prefix)))
			range_add(out, start, end + 1, RANGE_RAM);
	fclose(f);
	range_sort(out);
	return out->count > 0;
}
