/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory/memmap.h"

#include "base/io.h"
#include "base/util.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The strings of drivers/firmware/memmap.c, from arch/x86/kernel/e820.c
 * (e820_type_to_string). */
static enum range_type type_of(const char *text)
{
	static const struct {
		const char *text;
		enum range_type type;
	} types[] = {
		{ "System RAM", RANGE_RAM },
		{ "ACPI Tables", RANGE_ACPI },
		{ "ACPI Non-volatile Storage", RANGE_NVS },
		{ "Unusable memory", RANGE_UNUSABLE },
		{ "Persistent Memory", RANGE_PMEM },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strncmp(text, types[i].text, strlen(types[i].text)))
			return types[i].type;
	return RANGE_RESERVED;
}

static err_t read_field(const char *dir, unsigned int entry, const char *field, char **out)
{
	char path[256];
	size_t n;

	snprintf(path, sizeof(path), "%s/%u/%s", dir, entry, field);
	return io_read_file(path, 256, out, &n);
}

static err_t read_entry(const char *dir, unsigned int entry, struct range *out)
{
	CLEANUP_FREE char *start = NULL;
	CLEANUP_FREE char *end = NULL;
	CLEANUP_FREE char *type = NULL;

	TRY(read_field(dir, entry, "start", &start));
	TRY(read_field(dir, entry, "end", &end));
	TRY(read_field(dir, entry, "type", &type));
	*out = (struct range){ strtoull(start, NULL, 16), strtoull(end, NULL, 16) + 1, type_of(type) };
	if (out->start >= out->end)
		return err_new(ERR_INVALID, "%s/%u is an empty or impossible range", dir, entry);
	return NULL;
}

err_t memmap_read(const char *dir, struct range_list *out)
{
	char path[256];

	out->count = 0;
	for (unsigned int i = 0;; i++) {
		struct range r;

		snprintf(path, sizeof(path), "%s/%u", dir, i);
		if (access(path, F_OK))
			break;
		TRY(read_entry(dir, i, &r));
		if (!range_add(out, r.start, r.end, r.type))
			return err_new(ERR_REFUSED, "the firmware's memory map has more than %u entries",
				       RANGE_MAX);
	}
	if (!out->count)
		return err_new(ERR_REFUSED, "there is no firmware memory map in %s", dir);
	range_sort(out);
	return NULL;
}

static err_t differs(const struct range *then, const struct range *now)
{
	char text[2][96] = { "nothing", "nothing" };
	const struct range *r[2] = { then, now };

	for (int i = 0; i < 2; i++)
		if (r[i])
			snprintf(text[i], sizeof(text[i]), "%s at 0x%llx-0x%llx",
				 range_type_name(r[i]->type), (unsigned long long)r[i]->start,
				 (unsigned long long)r[i]->end - 1);
	return err_new(ERR_REFUSED, "the firmware's memory map has changed: the image was made with %s, "
				    "this boot has %s",
		       text[0], text[1]);
}

err_t memmap_same(const struct range_list *then, const struct range_list *now)
{
	size_t n = then->count > now->count ? then->count : now->count;

	for (size_t i = 0; i < n; i++) {
		const struct range *a = i < then->count ? &then->r[i] : NULL;
		const struct range *b = i < now->count ? &now->r[i] : NULL;

		if (!a || !b || a->start != b->start || a->end != b->end || a->type != b->type)
			return differs(a, b);
	}
	return NULL;
}
