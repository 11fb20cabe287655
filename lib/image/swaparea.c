/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/swaparea.h"

#include "base/util.h"
#include "formats/locator.h"

#include <assert.h>
#include <string.h>

static_assert(LOCATOR_BYTES == TARGET_SECTOR_BYTES, "a locator is a sector");
static_assert(LOCATOR_AT + LOCATOR_BYTES == SWAPHEADER_BYTES, "the last one of its page");

/* A locator's page is none of the target's extents. */
static err_t read_page(const struct target *t, uint8_t *page)
{
	if (t->locator)
		return err_context(
			t->device->read(t, page, SWAPHEADER_BYTES, t->locator - LOCATOR_AT),
			"the locator's page");
	return err_context(target_read(t, page, SWAPHEADER_BYTES, 0), "page 0");
}

static enum swapheader kind_of_locator(const struct target *t, const uint8_t *sector)
{
	struct locator l = {0};
	err_t e;

	if (!memcmp(sector, t->saved, LOCATOR_BYTES))
		return SWAPHEADER_SWAP;
	e = locator_decode(sector, &l);
	if (e) {
		err_free(e);
		return SWAPHEADER_NONE;
	}
	return l.map == t->map_place && !memcmp(l.nonce, t->map_nonce, NONCE_BYTES)
		       ? SWAPHEADER_MARKED
		       : SWAPHEADER_NONE;
}

/* Sound or damaged. */
static bool has_locator(const uint8_t *page)
{
	struct locator l;
	err_t e = locator_decode(page + LOCATOR_AT, &l);
	bool has = !e || err_kind(e) != ERR_FORMAT;

	err_free(e);
	return has;
}

/* A whole area with a locator in it is in use by another image: as if it were turned on. */
static enum swapheader kind_of(const struct target *t, const uint8_t *page)
{
	if (t->locator)
		return kind_of_locator(t, page + LOCATOR_AT);
	return has_locator(page) ? SWAPHEADER_SWAP : swapheader_decode(page);
}

static void change_page(const struct target *t, uint8_t *page, enum swapheader to)
{
	struct locator l = {.map = t->map_place};

	memcpy(l.nonce, t->map_nonce, NONCE_BYTES);
	if (!t->locator)
		swapheader_set(page, to);
	else if (to == SWAPHEADER_MARKED)
		locator_encode(&l, page + LOCATOR_AT);
	else
		memcpy(page + LOCATOR_AT, t->saved, LOCATOR_BYTES);
}

static err_t store_page(const struct target *t, const uint8_t *page)
{
	if (t->locator)
		return err_context(
			t->device->write(t, page, SWAPHEADER_BYTES, t->locator - LOCATOR_AT),
			"the locator's page");
	return err_context(target_write(t, page, SWAPHEADER_BYTES, 0), "page 0");
}

err_t swaparea_read(const struct target *t, enum swapheader *out)
{
	CLEANUP_FREE uint8_t *page = target_buffer(SWAPHEADER_BYTES);

	if (!page)
		return err_new(ERR_NOMEM, "reading page 0");
	TRY(read_page(t, page));
	*out = kind_of(t, page);
	return NULL;
}

/* The page is written whole, which is safe when torn: only its last sector is
 * changed, the others are given the content that they have. */
static err_t write_page(const struct target *t, uint8_t *page, enum swapheader to)
{
	change_page(t, page, to);
	TRY(store_page(t, page));
	/* Protects the signature: before VALID, or before the host runs. */
	return target_flush(t);
}

err_t swaparea_set(const struct target *t, enum swapheader to)
{
	CLEANUP_FREE uint8_t *page = target_buffer(2 * SWAPHEADER_BYTES);
	enum swapheader is;
	bool cleared;

	if (!page)
		return err_new(ERR_NOMEM, "writing page 0");
	TRY(read_page(t, page));
	if (!t->locator && has_locator(page))
		return err_new(
			ERR_REFUSED,
			"%s is a swap area in whose slots an image lies, to be resumed or "
			"discarded by the boot that finds it; or make the area anew (mkswap)",
			t->name);
	is = kind_of(t, page);
	if (is == SWAPHEADER_NONE)
		return err_new(ERR_REFUSED,
			       t->locator ? "page 0 of the swap area on %s is not "
					    "what it was any more"
					  : "%s is not a swap area any more",
			       t->name);
	/* The mark would make a locator of it again, and the image dead. */
	cleared = !t->locator && locator_clear(page + LOCATOR_AT);
	if (is == to && !cleared)
		return target_flush(t); /* it may have come from the device's cache */
	TRY(write_page(t, page, to));
	TRY(read_page(t, page + SWAPHEADER_BYTES));
	if (memcmp(page, page + SWAPHEADER_BYTES, SWAPHEADER_BYTES))
		return err_new(ERR_IO,
			       "page 0 of the swap area on %s reads back other than it was "
			       "written",
			       t->name);
	if (kind_of(t, page) != to)
		return err_new(ERR_REFUSED,
			       "page 0 of the swap area on %s does not say what it should, as it "
			       "was written: make the area anew (mkswap)",
			       t->name);
	return NULL;
}
