/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/room.h"

#include "base/util.h"

/* Append [start, end), joined to the last range when they meet. */
static void add(struct room *room, uint64_t start, uint64_t end)
{
	if (start >= end)
		return;
	if (room->count && room->r[room->count - 1].end == start) {
		room->r[room->count - 1].end = end;
		return;
	}
	if (room->count == ARRAY_LEN(room->r))
		return; /* a list that hostinfo_decode would not pass; too little is safe */
	room->r[room->count].start = start;
	room->r[room->count].end = end;
	room->count++;
}

/*
 * Only whole pages count as RAM, and a window's page is one as soon as it has
 * one byte. Both lists are sorted and do not overlap (hostinfo_decode), and
 * each window cuts at most one range in two: so there is room for all.
 */
void room_init(struct room *room, const struct hostinfo *info)
{
	room->count = 0;
	for (size_t i = 0; i < info->memory.count; i++) {
		const struct range *ram = &info->memory.r[i];
		uint64_t at = align_up(ram->start, PAGE_BYTES) >> PAGE_BITS;
		uint64_t end = ram->end >> PAGE_BITS;

		if (ram->type != RANGE_RAM)
			continue;
		for (size_t j = 0; j < info->windows.count && at < end; j++) {
			uint64_t from = info->windows.r[j].start >> PAGE_BITS;
			uint64_t to = align_up(info->windows.r[j].end, PAGE_BYTES) >> PAGE_BITS;

			if (to <= at || from >= end)
				continue;
			add(room, at, from);
			at = to;
		}
		add(room, at, end);
	}
}

bool room_next(const struct room *room, uint64_t pfn, uint64_t *start, uint64_t *end)
{
	size_t low = 0, high = room->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (room->r[mid].end <= pfn)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == room->count)
		return false;
	*start = max_u64(room->r[low].start, pfn);
	*end = room->r[low].end;
	return true;
}

bool room_holds(const struct room *room, uint64_t pfn, uint64_t pages)
{
	uint64_t start, end;

	return room_next(room, pfn, &start, &end) && start == pfn && pages <= end - pfn;
}
