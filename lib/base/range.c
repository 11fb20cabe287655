/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/range.h"

#include <stdlib.h>

bool range_add(struct range_list *list, uint64_t start, uint64_t end, enum range_type type)
{
	if (start >= end)
		return true;
	if (list->count == RANGE_MAX)
		return false;
	list->r[list->count++] = (struct range){start, end, type};
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

void range_sort(struct range_list *list)
{
	qsort(list->r, list->count, sizeof(list->r[0]), by_start);
}

const struct range *range_holding(const struct range_list *list, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->r[i].start <= start && end <= list->r[i].end)
			return &list->r[i];
	return NULL;
}

bool range_overlaps(const struct range_list *list, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < list->count; i++)
		if (start < list->r[i].end && list->r[i].start < end)
			return true;
	return false;
}

uint64_t range_bytes(const struct range_list *list, enum range_type type)
{
	uint64_t n = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->r[i].type == type)
			n += list->r[i].end - list->r[i].start;
	return n;
}

const char *range_type_name(enum range_type type)
{
	switch (type) {
	case RANGE_RAM:
		return "RAM";
	case RANGE_RESERVED:
		return "reserved";
	case RANGE_ACPI:
		return "ACPI data";
	case RANGE_NVS:
		return "ACPI NVS";
	case RANGE_UNUSABLE:
		return "unusable";
	case RANGE_PMEM:
		return "persistent memory";
	}
	return "unknown";
}
