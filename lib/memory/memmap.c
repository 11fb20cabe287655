/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory/memmap.h"

#include "base/crc32c.h"
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
		{"System RAM", RANGE_RAM},
		{"ACPI Tables", RANGE_ACPI},
		{"ACPI Non-volatile Storage", RANGE_NVS},
		{"Unusable memory", RANGE_UNUSABLE},
		{"Persistent Memory", RANGE_PMEM},
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
	*out = (struct range){strtoull(start, NULL, 16), strtoull(end, NULL, 16) + 1,
			      type_of(type)};
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
			return err_new(ERR_REFUSED,
				       "the firmware's memory map has more than %u entries",
				       RANGE_MAX);
	}
	if (!out->count)
		return err_new(ERR_REFUSED, "there is no firmware memory map in %s", dir);
	range_sort(out);
	return NULL;
}

/* What is told of each of the two maps. */
#define TOLD_MAX 3

struct words {
	char text[300];
	size_t used, told, more;
};

static void tell(struct words *w, const struct range *r)
{
	if (w->told == TOLD_MAX) {
		w->more++;
		return;
	}
	w->used +=
		(size_t)snprintf(w->text + w->used, sizeof(w->text) - w->used, "%s%s 0x%llx-0x%llx",
				 w->told ? ", " : "", range_type_name(r->type),
				 (unsigned long long)r->start, (unsigned long long)r->end - 1);
	w->told++;
}

static const char *told(struct words *w)
{
	if (!w->told)
		return "nothing";
	if (w->more)
		snprintf(w->text + w->used, sizeof(w->text) - w->used, " and %zu more", w->more);
	return w->text;
}

static bool has(const struct range_list *list, const struct range *r)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->r[i].start == r->start && list->r[i].end == r->end &&
		    list->r[i].type == r->type)
			return true;
	return false;
}

/* The regions of a that b does not have. */
static struct words missing(const struct range_list *a, const struct range_list *b)
{
	struct words w = {.used = 0};

	for (size_t i = 0; i < a->count; i++)
		if (!has(b, &a->r[i]))
			tell(&w, &a->r[i]);
	return w;
}

/* A number by which people and memmap_again tell one map from another. */
static uint32_t number_of(const struct range_list *m)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < m->count; i++) {
		uint64_t r[3] = {m->r[i].start, m->r[i].end, m->r[i].type};

		crc = crc32c(crc, r, sizeof(r));
	}
	return crc;
}

#define NUMBER_WORDS "memory map has moved (to "

err_t memmap_same(const struct range_list *then, const struct range_list *now)
{
	struct words gone = missing(then, now), new = missing(now, then);

	if (!gone.told && !new.told)
		return NULL;
	return err_new(ERR_REFUSED,
		       "the firmware's " NUMBER_WORDS
		       "%08x): the image was made with %s; this boot "
		       "has %s",
		       number_of(now), told(&gone), told(&new));
}

const char *memmap_again(const char *text, const char *before)
{
	const char *a = strstr(text, NUMBER_WORDS), *b = strstr(before, NUMBER_WORDS);

	if (!a)
		return "";
	if (!b)
		return "it had not moved before";
	return strncmp(a, b, strlen(NUMBER_WORDS) + 8)
		       ? "the last time it had moved otherwise"
		       : "the last time it had moved in the same way";
}
