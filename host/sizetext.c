/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/sizetext.h"

#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

err_t sizetext_parse(const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	char *end;
	unsigned long long x;
	const char *unit;
	unsigned int shift;

	errno = 0;
	x = strtoull(text, &end, 10);
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (!isdigit((unsigned char)*text) || errno || !x || !unit || end[1])
		return err_new(ERR_INVALID, "\"%s\" is no size (like 8G, or 512M)", text);
	shift = 10 * (unsigned int)(unit - units + 1);
	if (x > (uint64_t)INT64_MAX >> shift)
		return err_new(ERR_INVALID, "\"%s\" is too large", text);
	*out = align_up((uint64_t)x << shift, PAGE_BYTES);
	return NULL;
}
