/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view.h"

#include "base/util.h"
#include "image.h"
#include "image/located.h"

#include <assert.h>

static const struct extent slots[] = {
	{DISK_BYTES - PAGE_BYTES, PAGE_BYTES},
	{SLOT_A_OFFSET, SLOT_DATA_START - SLOT_A_OFFSET},
	{SLOT_DATA_START, DISK_BYTES - PAGE_BYTES - SLOT_DATA_START},
};

static void whole(const struct disk *d, struct target *out)
{
	err_t e;

	*out = d->target;
	out->extents = NULL;
	out->ends = NULL;
	e = target_set_extents(out, &(struct extent){0, DISK_BYTES}, 1);
	assert(!e);
}

static err_t close_on_error(struct target *t, err_t e)
{
	if (e)
		target_close(t);
	return e;
}

err_t view_boot(const struct disk *d, struct target *out)
{
	whole(d, out);
	if (!d->located)
		return NULL;
	return close_on_error(out, located_enter_locator(out, LOCATED_LOCATOR_AT));
}

err_t view_open(const struct disk *d, struct target *out)
{
	whole(d, out);
	if (!d->located)
		return NULL;
	return close_on_error(out, located_enter(out, VIEW_MAP_AT));
}

err_t view_make(const struct disk *d, unsigned int number, struct target *out)
{
	uint8_t nonce[NONCE_BYTES];

	whole(d, out);
	if (!d->located)
		return NULL;
	image_nonce(number, nonce);
	return close_on_error(out,
			      located_lay(out, slots, ARRAY_LEN(slots), LOCATED_LOCATOR_AT, nonce));
}

/* What cannot be used is left as it is; but a locator whose slots are nothing is not. */
static err_t finish(const struct target *t, struct commit *c)
{
	err_t e = commit_load(t, c);

	if (e && (err_kind(e) == ERR_CORRUPT || (err_kind(e) == ERR_FORMAT && !t->locator))) {
		err_free(e);
		return NULL;
	}
	if (e && err_kind(e) != ERR_FORMAT)
		return e;
	err_free(e);
	return commit_finish(t, c);
}

err_t view_finish(const struct disk *d, struct commit *c)
{
	struct commit found;
	struct target t;
	err_t e = view_boot(d, &t);

	if (e && err_kind(e) == ERR_FORMAT) {
		err_free(e);
		return NULL;
	}
	if (e)
		return e;
	e = finish(&t, c ? c : &found);
	target_close(&t);
	return e;
}
