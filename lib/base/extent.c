/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/extent.h"

#include "base/util.h"

#include <string.h>

static err_t check_one(const struct extent *e, uint32_t i, uint64_t device_bytes,
		       enum err_kind kind)
{
	if (!e->length || e->start % PAGE_BYTES || e->length % PAGE_BYTES)
		return err_new(kind, "extent %u is not made of whole 4 KiB blocks", i);
	if (e->start > device_bytes || e->length > device_bytes - e->start)
		return err_new(kind,
			       "extent %u, %llu bytes from %llu on, is not within the "
			       "device's %llu bytes",
			       i, (unsigned long long)e->length, (unsigned long long)e->start,
			       (unsigned long long)device_bytes);
	return NULL;
}

static int by_start(const void *a, const void *b)
{
	uint64_t x = ((const struct extent *)a)->start, y = ((const struct extent *)b)->start;

	return (x > y) - (x < y);
}

/* Sorted by their starts, only neighbours can overlap. */
err_t extent_check(const struct extent *extents, uint32_t count, uint64_t device_bytes,
		   enum err_kind kind)
{
	CLEANUP_FREE struct extent *sorted = NULL;

	for (uint32_t i = 0; i < count; i++)
		TRY(check_one(&extents[i], i, device_bytes, kind));
	if (count < 2)
		return NULL;
	sorted = malloc(count * sizeof(*sorted));
	if (!sorted)
		return err_new(ERR_NOMEM, "checking extents");
	memcpy(sorted, extents, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_start);
	for (uint32_t i = 1; i < count; i++)
		if (sorted[i].start < sorted[i - 1].start + sorted[i - 1].length)
			return err_new(kind, "two extents overlap at byte %llu of the device",
				       (unsigned long long)sorted[i].start);
	return NULL;
}
