/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/extentlist.h"

#include "base/util.h"

#include <stdlib.h>
#include <string.h>

void extentlist_deinit(struct extentlist *l)
{
	free(l->list);
	*l = (struct extentlist){.list = NULL};
}

err_t extentlist_add(struct extentlist *l, uint64_t start, uint64_t length)
{
	struct extent *last = l->count ? &l->list[l->count - 1] : NULL;

	if (last && last->start + last->length == start) {
		last->length += length;
		return NULL;
	}
	if (l->count == l->room) {
		uint32_t room = l->room ? 2 * l->room : 64;
		struct extent *more = reallocarray(l->list, room, sizeof(*more));

		if (!more)
			return err_new(ERR_NOMEM, "no memory for %u extents", room);
		l->list = more;
		l->room = room;
	}
	l->list[l->count++] = (struct extent){start, length};
	return NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

void extentlist_sort(struct extentlist *l)
{
	uint32_t kept = 0;

	if (!l->count)
		return;
	qsort(l->list, l->count, sizeof(*l->list), by_start);
	for (uint32_t i = 1; i < l->count; i++) {
		struct extent *last = &l->list[kept];

		if (last->start + last->length == l->list[i].start)
			last->length += l->list[i].length;
		else
			l->list[++kept] = l->list[i];
	}
	l->count = kept + 1;
}

static int longest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

err_t extentlist_keep_longest(struct extentlist *l, uint32_t max)
{
	CLEANUP_FREE uint64_t *lengths = NULL;
	uint32_t kept = 1, at_limit = 0;
	uint64_t limit;

	if (l->count <= max)
		return NULL;
	lengths = malloc(l->count * sizeof(*lengths));
	if (!lengths)
		return err_new(ERR_NOMEM, "no memory for %u extents", l->count);
	for (uint32_t i = 1; i < l->count; i++)
		lengths[i - 1] = l->list[i].length;
	/* Of those as long as the shortest that is kept, so many as there is room for. */
	qsort(lengths, l->count - 1, sizeof(*lengths), longest_first);
	limit = max > 1 ? lengths[max - 2] : UINT64_MAX;
	for (uint32_t i = 0; i + 1 < max; i++)
		at_limit += lengths[i] == limit;
	for (uint32_t i = 1; i < l->count; i++) {
		uint64_t length = l->list[i].length;

		if (length < limit || (length == limit && !at_limit))
			continue;
		at_limit -= length == limit;
		l->list[kept++] = l->list[i];
	}
	l->count = kept;
	return NULL;
}

uint64_t extentlist_bytes(const struct extentlist *l)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < l->count; i++)
		bytes += l->list[i].length;
	return bytes;
}
