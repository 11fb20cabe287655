/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "disk.h"

#include "base/util.h"
#include "formats/slot.h"
#include "formats/swapheader.h"
#include "swap.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct disk *disk_of(const struct target *t)
{
	return t->device_data;
}

static err_t failed(const struct target *t, const char *what)
{
	return err_new(ERR_IO, "%s: %s fails, as planted", t->name, what);
}

/* Is this the operation that the fault is for? Counts it. */
static bool is_hit(struct disk *d, bool counted)
{
	unsigned int number = d->seen;

	if (!counted)
		return false;
	d->seen++;
	return number == d->fault.nth || (d->fault.lasting && number > d->fault.nth);
}

static bool is_slot(uint64_t at)
{
	return at == SLOT_A_OFFSET || at == SLOT_B_OFFSET;
}

static uint64_t swapped(const struct disk *d, uint64_t at)
{
	return d->swapping && is_slot(at) ? SLOT_A_OFFSET + SLOT_B_OFFSET - at : at;
}

static void log_add(struct disk *d, const struct disk_op *op, const uint8_t *data)
{
	if (d->ops == d->room) {
		d->room = d->room ? 2 * d->room : 64;
		d->log = reallocarray(d->log, d->room, sizeof(*d->log));
		assert(d->log);
	}
	d->log[d->ops] = *op;
	if (op->n) {
		d->log[d->ops].data = malloc(op->n);
		assert(d->log[d->ops].data);
		memcpy(d->log[d->ops].data, data, op->n);
	}
	d->ops++;
}

static void log_cut(struct disk *d, size_t ops)
{
	while (d->ops > ops)
		free(d->log[--d->ops].data);
}

/* n bytes reach the cache: they are read from now on, and may land. */
static void put(struct disk *d, const uint8_t *data, size_t n, uint64_t at)
{
	memcpy(d->view + at, data, n);
	memset(d->unreadable + at / SECTOR_BYTES, 0, n / SECTOR_BYTES);
	for (size_t done = 0; done < n; done += DISK_WRITE_MAX) {
		struct disk_op op = {.at = at + done,
				     .n = (uint32_t)min_u64(n - done, DISK_WRITE_MAX)};

		log_add(d, &op, data + done);
	}
}

/* A flush fails, and what was to be flushed is gone. */
static void lose_cache(struct disk *d)
{
	size_t first = 0;

	log_add(d, &(struct disk_op){.flush = true, .lost = true}, NULL);
	memcpy(d->view, d->start, DISK_BYTES);
	for (size_t i = 0; i < d->ops; i++) {
		if (!d->log[i].flush)
			continue;
		for (; first < i; first++)
			if (!d->log[i].lost)
				memcpy(d->view + d->log[first].at, d->log[first].data,
				       d->log[first].n);
		first = i + 1;
	}
}

/* A locator that is to be one no more has its sector back. */
static void put_header(struct disk *d, enum swapheader kind)
{
	uint8_t page[SWAPHEADER_BYTES];

	memcpy(page, d->view, sizeof(page));
	if (d->located && kind == SWAPHEADER_SWAP)
		memcpy(page, swap_blank(true), sizeof(page));
	swapheader_set(page, kind);
	put(d, page, sizeof(page), 0);
}

/* What the fault does to the swap header before a write, which may be the header's. */
static bool is_held(struct disk *d, const void *buf, uint64_t place)
{
	if (d->fault.kind == FAULT_HEADER_EARLY && is_slot(place) && !d->seen++) {
		put_header(d, SWAPHEADER_SWAP);
		log_add(d, &(struct disk_op){.flush = true}, NULL);
	}
	if (d->fault.kind != FAULT_HEADER_LATE || place)
		return false;
	memcpy(d->view, buf, SWAPHEADER_BYTES);
	d->holding = true;
	return true;
}

static void release_held(struct disk *d)
{
	if (!d->holding)
		return;
	d->holding = false;
	log_add(d, &(struct disk_op){.flush = true}, NULL);
	put_header(d, swapheader_decode(d->view));
}

static err_t sim_read(const struct target *t, void *buf, size_t n, uint64_t place)
{
	struct disk *d = disk_of(t);
	bool bad = false;

	assert(place + n <= DISK_BYTES);
	pthread_mutex_lock(&d->lock);
	place = swapped(d, place);
	for (uint64_t s = place / SECTOR_BYTES; s < (place + n) / SECTOR_BYTES; s++)
		bad |= d->unreadable[s];
	memcpy(buf, d->view + place, n);
	if (d->blind && !place && swapheader_decode(d->view) == SWAPHEADER_SWAP)
		swapheader_set(buf, SWAPHEADER_MARKED);
	pthread_mutex_unlock(&d->lock);
	return bad ? err_new(ERR_IO, "%s: unreadable sector", t->name) : NULL;
}

static err_t sim_write(const struct target *t, const void *buf, size_t n, uint64_t place)
{
	struct disk *d = disk_of(t);
	enum disk_fault_kind kind = d->fault.kind;
	bool hit;

	assert(place + n <= DISK_BYTES);
	pthread_mutex_lock(&d->lock);
	hit = is_hit(d, kind == FAULT_ERROR || kind == FAULT_WRITE_LOST);
	d->swapping |= kind == FAULT_SLOTS_SWAPPED && is_slot(place);
	place = swapped(d, place);
	if (is_held(d, buf, place)) {
		pthread_mutex_unlock(&d->lock);
		return NULL;
	}
	if (!hit)
		put(d, buf, n, place);
	else if (kind == FAULT_ERROR)
		put(d, buf, min_u64(n, (uint64_t)d->fault.landed * SECTOR_BYTES), place);
	else if (d->fault.lies)
		memcpy(d->view + place, buf, n);
	release_held(d);
	pthread_mutex_unlock(&d->lock);
	return hit && kind == FAULT_ERROR ? failed(t, "a write") : NULL;
}

static err_t sim_flush(const struct target *t)
{
	struct disk *d = disk_of(t);
	enum disk_fault_kind kind = d->fault.kind;
	bool hit;

	pthread_mutex_lock(&d->lock);
	hit = is_hit(d, kind == FAULT_ERROR || kind == FAULT_FLUSH_IGNORED);
	if (!hit)
		log_add(d, &(struct disk_op){.flush = true}, NULL);
	else if (kind == FAULT_ERROR && d->fault.cache_lost)
		lose_cache(d);
	pthread_mutex_unlock(&d->lock);
	return hit && kind == FAULT_ERROR ? failed(t, "a flush") : NULL;
}

static const struct target_device simulated = {sim_read, sim_write, sim_flush};

struct disk *disk_create(bool located)
{
	struct disk *d = calloc(1, sizeof(*d));
	err_t e;

	assert(d);
	d->located = located;
	pthread_mutex_init(&d->lock, NULL);
	d->target = (struct target){
		.device = &simulated,
		.device_data = d,
		.fd = -1,
		.name = "disk",
		.device_bytes = DISK_BYTES,
	};
	e = target_set_extents(&d->target, &(struct extent){0, DISK_BYTES}, 1);
	assert(!e);
	return d;
}

void disk_destroy(struct disk *d)
{
	log_cut(d, 0);
	target_close(&d->target);
	free(d->log);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void disk_reset(struct disk *d, const uint8_t content[DISK_BYTES])
{
	log_cut(d, 0);
	memcpy(d->start, content, DISK_BYTES);
	memcpy(d->view, content, DISK_BYTES);
	memset(d->unreadable, 0, sizeof(d->unreadable));
	disk_plant(d, NULL);
}

void disk_plant(struct disk *d, const struct disk_fault *fault)
{
	d->fault = fault ? *fault : (struct disk_fault){0};
	d->seen = 0;
	d->swapping = false;
	d->holding = false;
}
