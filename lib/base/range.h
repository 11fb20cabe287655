/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of physical address ranges: a firmware memory map, or windows. */
#ifndef BASE_RANGE_H
#define BASE_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a range is; the values are those of e820 (and of the image format). */
enum range_type {
	RANGE_RAM = 1,
	RANGE_RESERVED = 2,
	RANGE_ACPI = 3,
	RANGE_NVS = 4,
	RANGE_UNUSABLE = 5,
	RANGE_PMEM = 7,
};

struct range {
	uint64_t start; /* first byte */
	uint64_t end;	/* first byte after it */
	enum range_type type;
};

#define RANGE_MAX 128

struct range_list {
	size_t count;
	struct range r[RANGE_MAX];
};

/* Append; false when the list is full. Empty ranges are left out. */
bool range_add(struct range_list *list, uint64_t start, uint64_t end, enum range_type type);

void range_sort(struct range_list *list);

/* The range that holds [start, end) entirely, or NULL. */
const struct range *range_holding(const struct range_list *list, uint64_t start, uint64_t end);

/* Does any range share a byte with [start, end)? */
bool range_overlaps(const struct range_list *list, uint64_t start, uint64_t end);

/* Sum of the bytes of the ranges of one type. */
uint64_t range_bytes(const struct range_list *list, enum range_type type);

/* Name for people: "RAM", "ACPI data", ... */
const char *range_type_name(enum range_type type);

#endif
