/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/held.h"

#include "host/disks/location.h"
#include "image/located.h"
#include "keys/volume.h"

#include <stdio.h>
#include <string.h>

void held_close(struct held *h)
{
	while (h->count)
		target_close(&h->list[--h->count]);
	luksvolume_close(&h->volume);
}

static err_t add_device(const struct location *l, bool writable, struct held *h)
{
	TRY(target_open(&h->list[h->count], l->name, writable, writable));
	h->count++;
	return NULL;
}

/* A target may be known by its disk's name only; say the one that people know. */
static void rename_last(const struct location *l, struct held *h)
{
	snprintf(h->list[h->count].name, sizeof(h->list[h->count].name), "%s", l->name);
	h->count++;
}

static err_t add_file(const struct location *l, bool writable, struct held *h)
{
	TRY(located_open_head(l->disk.disk_name, writable, l->pin.byte, &h->list[h->count]));
	rename_last(l, h);
	return NULL;
}

/*
 * What was swap in use when the image was written: where this very area would have its
 * locator, and nowhere else, whatever is pinned. A damaged one leads no boot anywhere either.
 */
static err_t add_locator(const struct location *l, bool writable, struct held *h)
{
	uint64_t place = location_locator(l);
	err_t e;

	if (!place || !l->disk.count)
		return NULL;
	e = located_open_locator(l->disk.disk_name, writable, place, &h->list[h->count]);
	if (!e) {
		rename_last(l, h);
		h->locator = true;
		return NULL;
	}
	if (err_kind(e) != ERR_FORMAT && err_kind(e) != ERR_CORRUPT)
		return e;
	if (err_kind(e) == ERR_CORRUPT)
		snprintf(h->damaged, sizeof(h->damaged),
			 "page 0 of %s is of an image that is damaged, and nothing can be resumed "
			 "there; if it is to be swap, make it anew (mkswap) (%s)",
			 l->name, err_text(e));
	err_free(e);
	return NULL;
}

/* An image that its locator speaks for comes first: to the device's own, the locator would
 * look like a mark that is left over. */
static void put_last_first(struct held *h)
{
	struct target device = h->list[0];

	if (h->count < 2)
		return;
	h->list[0] = h->list[1];
	h->list[1] = device;
}

/* Only if its header says that there may be something. */
static err_t add_luks(const struct location *l, bool writable, struct held *h)
{
	bool marked = false;

	TRY(volume_marked(location_device(l), &marked));
	if (!marked)
		return NULL;
	TRY(luksvolume_open(location_device(l), &h->volume));
	h->volume.marked = true;
	TRY(target_open(&h->list[h->count], h->volume.path, writable, writable));
	rename_last(l, h);
	return NULL;
}

static err_t add_all(const struct location *l, bool writable, struct held *h)
{
	if (location_is_swap(l))
		return NULL;
	if (l->kind == LOCATION_LUKS)
		return add_luks(l, writable, h);
	/* First the device: whether somebody uses it. */
	TRY(l->kind == LOCATION_FILE ? add_file(l, writable, h) : add_device(l, writable, h));
	TRY(add_locator(l, writable, h));
	put_last_first(h);
	return NULL;
}

err_t held_open(const char *name, bool writable, struct held *out)
{
	struct location l;
	err_t e = location_find(name, &l);

	memset(out, 0, sizeof(*out));
	if (!e)
		e = add_all(&l, writable, out);
	location_deinit(&l);
	if (e)
		held_close(out);
	return e;
}
