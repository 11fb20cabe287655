/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory/regions.h"

#include "base/util.h"

#define REGION_BYTES (32 * MIB)

/* One entry of the map, less the windows in it. */
static bool add_pieces(struct range_list *out, const struct range *ram,
		       const struct range_list *windows)
{
	uint64_t at = ram->start;
	bool ok = true;

	for (size_t i = 0; ok && i < windows->count; i++) {
		const struct range *w = &windows->r[i];

		if (w->end <= at || w->start >= ram->end)
			continue;
		ok = range_add(out, at, w->start, RANGE_RAM);
		at = w->end;
	}
	return ok && range_add(out, at, ram->end, RANGE_RAM);
}

err_t regions_init(struct regions *r, const struct range_list *memory,
		   const struct range_list *windows, bool writable)
{
	*r = (struct regions){0};
	for (size_t i = 0; i < memory->count; i++)
		if (memory->r[i].type == RANGE_RAM && !add_pieces(&r->ram, &memory->r[i], windows))
			return err_new(ERR_REFUSED, "the host's RAM is in too many pieces");
	TRY(devmem_open(&r->dev, writable));
	pthread_mutex_init(&r->lock, NULL);
	return NULL;
}

void regions_deinit(struct regions *r)
{
	for (size_t i = 0; i < ARRAY_LEN(r->slot); i++)
		if (r->slot[i].at)
			devmem_unmap(r->slot[i].at, r->slot[i].bytes);
	pthread_mutex_destroy(&r->lock);
	devmem_close(&r->dev);
}

/*
 * The region that a block lies in, cut to the RAM around it: a mapping that
 * touched device memory could get the device's memory type. false: the block
 * itself is not all RAM.
 */
static bool region_of(const struct regions *r, uint64_t physical, size_t n, uint64_t *start,
		      uint64_t *end)
{
	const struct range *ram = range_holding(&r->ram, physical, physical + n);

	if (!ram)
		return false;
	*start = max_u64(align_down(physical, REGION_BYTES), align_up(ram->start, PAGE_BYTES));
	*end = min_u64(align_down(physical, REGION_BYTES) + REGION_BYTES,
		       align_down(ram->end, PAGE_BYTES));
	return physical >= *start && physical + n <= *end;
}

/* The slot of a region: the one that has it, or the oldest that nobody uses. */
static struct region *slot_for(struct regions *r, uint64_t start)
{
	struct region *oldest = NULL;

	for (size_t i = 0; i < ARRAY_LEN(r->slot); i++) {
		struct region *s = &r->slot[i];

		if (s->at && s->start == start)
			return s;
		if (!s->users && (!oldest || s->used < oldest->used))
			oldest = s;
	}
	return oldest;
}

static err_t fill_slot(struct regions *r, struct region *s, uint64_t start, uint64_t end)
{
	if (s->at && s->start == start)
		return NULL;
	if (s->at)
		devmem_unmap(s->at, s->bytes);
	s->at = NULL;
	TRY(devmem_map(&r->dev, start, end - start, &s->at));
	s->start = start;
	s->bytes = end - start;
	return NULL;
}

err_t regions_get(struct regions *r, uint64_t physical, size_t n, uint8_t **out)
{
	uint64_t start, end;
	struct region *s;
	err_t e = NULL;

	if (!region_of(r, physical, n, &start, &end))
		return devmem_map(&r->dev, physical, n, out);
	pthread_mutex_lock(&r->lock);
	s = slot_for(r, start);
	e = s ? fill_slot(r, s, start, end)
	      : err_new(ERR_INVALID, "more than %d views of memory at once", REGIONS_USERS_MAX);
	if (!e) {
		s->users++;
		s->used = ++r->clock;
		*out = s->at + (physical - start);
	}
	pthread_mutex_unlock(&r->lock);
	return e;
}

void regions_put(struct regions *r, uint8_t *p, size_t n)
{
	bool found = false;

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < ARRAY_LEN(r->slot) && !found; i++) {
		struct region *s = &r->slot[i];

		found = s->at && p >= s->at && p < s->at + s->bytes;
		if (found)
			s->users--;
	}
	pthread_mutex_unlock(&r->lock);
	if (!found)
		devmem_unmap(p, n);
}
