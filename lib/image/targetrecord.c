/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/targetrecord.h"

#include "image/located.h"

#include <stdio.h>
#include <string.h>

err_t targetrecord_put(const struct target *t, struct handoff *h)
{
	h->device_bytes = t->device_bytes;
	snprintf(h->device_name, sizeof(h->device_name), "%s", t->name);
	h->map_place = t->map_place;
	h->extent_count = 0;
	if (t->map_place)
		return NULL;
	TRY(located_check(t));
	if (t->extent_count > HANDOFF_EXTENTS_MAX)
		return err_new(ERR_INVALID, "%s is in %u pieces, possible are %u", t->name,
			       t->extent_count, HANDOFF_EXTENTS_MAX);
	h->extent_count = t->extent_count;
	memcpy(h->extents, t->extents, h->extent_count * sizeof(*h->extents));
	return NULL;
}

static err_t check(const struct handoff *h, const struct target *t)
{
	if (t->device_bytes != h->device_bytes)
		return err_new(ERR_REFUSED, "%s is not of the size that was told", t->name);
	if (h->map_place && memcmp(t->map_nonce, h->nonce, NONCE_BYTES))
		return err_new(ERR_REFUSED, "the extent map on %s is of another image", t->name);
	return NULL;
}

err_t targetrecord_open(const struct handoff *h, const char *path, bool writable,
			struct target *out)
{
	struct target t;
	err_t e;

	if (h->map_place)
		TRY(located_open(path, writable, h->map_place, &t));
	else
		TRY(target_open_extents(&t, path, writable, h->extents, h->extent_count));
	e = check(h, &t);
	if (e)
		target_close(&t);
	else
		*out = t;
	return e;
}
