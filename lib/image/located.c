/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/located.h"

#include "base/util.h"
#include "formats/extentmap.h"
#include "image/commit.h"
#include "image/swaparea.h"

#include <assert.h>
#include <string.h>

static_assert(LOCATED_MAP_OFFSET == EXTENTMAP_OFFSET, "the map follows the slots");
static_assert(LOCATED_LOCATOR_AT == LOCATOR_AT, "the last sector of its page");
static_assert(TARGET_NONCE_BYTES == NONCE_BYTES, "a target keeps its map's nonce");

#define CLEANUP_MAP __attribute__((cleanup(extentmap_deinit)))

uint64_t located_bytes(const struct extent *extents, uint32_t count)
{
	CLEANUP_MAP struct extentmap m = {0};
	err_t e = extentmap_plan(&m, extents, count);
	uint64_t bytes = 0;

	err_free(e);
	for (uint32_t i = 0; i < m.extent_count; i++)
		bytes += m.extents[i].length;
	return bytes;
}

uint64_t located_map_place(const struct extent *extents, uint32_t count)
{
	CLEANUP_MAP struct extentmap m = {0};

	err_free(extentmap_plan(&m, extents, count));
	return m.places[0];
}

/* One page of the disk, wherever it lies. */
static err_t read_page(const struct target *t, uint64_t place, uint8_t *page)
{
	if (place % PAGE_BYTES || t->device_bytes < PAGE_BYTES ||
	    place > t->device_bytes - PAGE_BYTES)
		return err_new(ERR_CORRUPT, "byte %llu is no place on %s",
			       (unsigned long long)place, t->name);
	return t->device->read(t, page, PAGE_BYTES, place);
}

static err_t read_map(const struct target *t, uint64_t place, struct extentmap *m)
{
	CLEANUP_FREE uint8_t *page = target_buffer(EXTENTMAP_BYTES);

	if (!page)
		return err_new(ERR_NOMEM, "extent map");
	extentmap_init(m, place);
	while (!extentmap_complete(m)) {
		TRY(err_context(read_page(t, m->places[m->added], page), "extent map"));
		TRY(err_context(extentmap_add(m, page), "%s", t->name));
	}
	return err_context(extentmap_check(m, t->device_bytes), "%s", t->name);
}

/* The disk becomes the target that the map is of. */
static err_t adopt(struct target *t, const struct extentmap *m)
{
	TRY(target_set_extents(t, m->extents, m->extent_count));
	t->map_place = m->places[0];
	t->locator = m->locator;
	memcpy(t->map_nonce, m->nonce, NONCE_BYTES);
	memcpy(t->saved, m->saved, LOCATOR_BYTES);
	return NULL;
}

err_t located_enter(struct target *t, uint64_t map_place)
{
	CLEANUP_MAP struct extentmap m = {0};

	TRY(read_map(t, map_place, &m));
	return adopt(t, &m);
}

static err_t enter_head_alone(struct target *t, uint64_t head, bool unreadable)
{
	const struct extent alone = {head, LOCATED_HEAD_BYTES};

	TRY(target_set_extents(t, &alone, 1));
	t->map_gone = true;
	t->map_unreadable = unreadable;
	return NULL;
}

err_t located_enter_head(struct target *t, uint64_t head)
{
	CLEANUP_MAP struct extentmap m = {0};
	enum err_kind kind;
	err_t e;

	if (head % PAGE_BYTES || t->device_bytes < LOCATED_HEAD_BYTES ||
	    head > t->device_bytes - LOCATED_HEAD_BYTES)
		return err_new(ERR_INVALID, "byte %llu of %s is no place for the head of a file",
			       (unsigned long long)head, t->name);
	e = read_map(t, head + LOCATED_MAP_OFFSET, &m);
	if (!e && !m.locator)
		return adopt(t, &m);
	kind = e ? err_kind(e) : ERR_CORRUPT; /* whole, and none of a file */
	if (kind == ERR_UNSUPPORTED || kind == ERR_NOMEM)
		return e;
	err_free(e);
	return enter_head_alone(t, head, kind == ERR_IO);
}

static err_t read_locator(const struct target *t, uint64_t place, struct locator *out)
{
	CLEANUP_FREE uint8_t *page = target_buffer(PAGE_BYTES);

	if (!page)
		return err_new(ERR_NOMEM, "locator");
	TRY(read_page(t, place - LOCATOR_AT, page));
	return err_context(locator_decode(page + LOCATOR_AT, out), "%s", t->name);
}

static err_t check_locator_place(const struct target *t, uint64_t place)
{
	if (place && locator_place_ok(place) && place <= t->device_bytes - LOCATOR_BYTES)
		return NULL;
	return err_new(ERR_INVALID, "byte %llu of %s is no place for a locator",
		       (unsigned long long)place, t->name);
}

/* A locator was there: "no map here" would mean that there is no image. */
static err_t ours_or_corrupt(err_t e)
{
	err_t corrupt;

	if (!e || err_kind(e) != ERR_FORMAT)
		return e;
	corrupt = err_new(ERR_CORRUPT, "%s, though there is a locator", err_text(e));
	err_free(e);
	return corrupt;
}

err_t located_enter_locator(struct target *t, uint64_t locator)
{
	CLEANUP_MAP struct extentmap m = {0};
	struct locator l;

	TRY(check_locator_place(t, locator));
	TRY(read_locator(t, locator, &l));
	TRY(ours_or_corrupt(read_map(t, l.map, &m)));
	if (m.locator != locator || memcmp(m.nonce, l.nonce, NONCE_BYTES))
		return err_new(ERR_CORRUPT,
			       "%s: the locator is of another image than the extent map", t->name);
	return adopt(t, &m);
}

/*
 * What is there of an older image, by which a boot would find it. One that was given up
 * but for its locator is finished, so that nothing is lost with its map.
 */
static err_t settle_old(struct target *old)
{
	struct commit c;
	err_t e = commit_load(old, &c);

	/* As for commit_begin: what is damaged, or nothing, is written over. */
	if (e && err_kind(e) != ERR_FORMAT && err_kind(e) != ERR_CORRUPT)
		return e;
	err_free(e);
	TRY(commit_finish(old, &c));
	if (c.holds_image)
		return err_new(ERR_REFUSED, "%s holds an image (%s): retire it first", old->name,
			       slot_state_name(c.slot.state));
	return NULL;
}

static err_t enter_old(struct target *old, uint64_t head, uint64_t locator)
{
	err_t e, refused;

	if (!locator)
		return located_enter_head(old, head);
	e = located_enter_locator(old, locator);
	if (!e || err_kind(e) != ERR_CORRUPT)
		return e;
	refused = err_new(ERR_REFUSED,
			  "page 0 of the swap area on %s belongs to an image that is damaged (%s): "
			  "turn it off, and make it anew (mkswap)",
			  old->name, err_text(e));
	err_free(e);
	return refused;
}

static err_t finish_old(const struct target *t, uint64_t head, uint64_t locator)
{
	/* A second view of the same disk, with extents of its own. */
	struct target old = *t;
	err_t e;

	old.extents = NULL;
	old.ends = NULL;
	e = enter_old(&old, head, locator);
	if (!e) {
		e = settle_old(&old);
	} else if (err_kind(e) == ERR_FORMAT) {
		err_free(e); /* no locator: the usual case */
		e = NULL;
	}
	old.fd = -1; /* t's */
	target_close(&old);
	return e;
}

/* Onto the medium, and read back: before the slots, whose image it will be. */
static err_t write_map(const struct target *t, const struct extentmap *m)
{
	CLEANUP_FREE uint8_t *page = target_buffer(2 * EXTENTMAP_BYTES);

	if (!page)
		return err_new(ERR_NOMEM, "extent map");
	for (uint32_t i = 0; i < m->blocks; i++) {
		extentmap_encode(m, i, page);
		TRY(t->device->write(t, page, EXTENTMAP_BYTES, m->places[i]));
	}
	/* Protects the map: an image that is VALID is found by it. */
	TRY(target_flush(t));
	for (uint32_t i = 0; i < m->blocks; i++) {
		extentmap_encode(m, i, page);
		TRY(read_page(t, m->places[i], page + EXTENTMAP_BYTES));
		if (memcmp(page, page + EXTENTMAP_BYTES, EXTENTMAP_BYTES))
			return err_new(ERR_IO,
				       "the extent map on %s reads back other than it was "
				       "written",
				       t->name);
	}
	return NULL;
}

/* The caller's mistake, in its words. */
static err_t corrupt_is_invalid(const struct target *t, err_t e)
{
	err_t invalid;

	if (!e || err_kind(e) != ERR_CORRUPT)
		return e;
	invalid = err_new(ERR_INVALID, "%s: %s", t->name, err_text(e));
	err_free(e);
	return invalid;
}

/* The page whole, as in swaparea.c. */
static err_t write_cleared(const struct target *t, uint64_t place, const uint8_t *page)
{
	CLEANUP_FREE uint8_t *again = target_buffer(PAGE_BYTES);

	if (!again)
		return err_new(ERR_NOMEM, "page 0 of the swap area");
	TRY(t->device->write(t, page, PAGE_BYTES, place));
	/* Protects nothing of ours yet: commit_begin looks for just this. */
	TRY(target_flush(t));
	TRY(read_page(t, place, again));
	if (memcmp(page, again, PAGE_BYTES))
		return err_new(ERR_IO, "it reads back other than it was written");
	return NULL;
}

/* What swapon has left of an older locator there is not kept, or it would be put back with
 * every image; an idle area with it could hold none. */
static err_t save_sector(const struct target *t, struct extentmap *m)
{
	CLEANUP_FREE uint8_t *page = target_buffer(PAGE_BYTES);
	uint64_t place = m->locator - LOCATOR_AT;

	if (!m->locator)
		return NULL;
	if (!page)
		return err_new(ERR_NOMEM, "page 0 of the swap area");
	TRY(err_context(read_page(t, place, page), "page 0 of the swap area"));
	if (locator_clear(page + LOCATOR_AT))
		TRY(err_context(write_cleared(t, place, page), "page 0 of the swap area on %s",
				t->name));
	memcpy(m->saved, page + LOCATOR_AT, LOCATOR_BYTES);
	return NULL;
}

err_t located_lay(struct target *t, const struct extent *extents, uint32_t count, uint64_t locator,
		  const uint8_t nonce[NONCE_BYTES])
{
	CLEANUP_MAP struct extentmap m = {0};

	if (locator)
		TRY(check_locator_place(t, locator));
	TRY(err_context(extentmap_plan(&m, extents, count), "%s", t->name));
	m.added = m.blocks;
	m.locator = locator;
	memcpy(m.nonce, nonce, NONCE_BYTES);
	TRY(corrupt_is_invalid(t, extentmap_check(&m, t->device_bytes)));
	TRY(finish_old(t, m.extents[0].start, locator));
	TRY(save_sector(t, &m));
	TRY(err_context(write_map(t, &m), "writing the extent map"));
	return adopt(t, &m);
}

void located_keep(const struct target *t, struct located_kept *out)
{
	*out = (struct located_kept){.locator = t->locator, .map = t->map_place};
	memcpy(out->nonce, t->map_nonce, NONCE_BYTES);
	memcpy(out->saved, t->saved, LOCATOR_BYTES);
}

/* The disk as the target was, for what looks at its sector only. Never closed. */
static err_t view_of(const struct target *t, const struct located_kept *k, struct target *out)
{
	TRY(check_locator_place(t, k->locator));
	*out = *t;
	out->locator = k->locator;
	out->map_place = k->map;
	memcpy(out->map_nonce, k->nonce, NONCE_BYTES);
	memcpy(out->saved, k->saved, LOCATOR_BYTES);
	return NULL;
}

err_t located_kept_due(const struct target *t, const struct located_kept *k, bool *due)
{
	enum swapheader is;
	struct target view;

	TRY(view_of(t, k, &view));
	TRY(swaparea_read(&view, &is));
	*due = is == SWAPHEADER_MARKED;
	return NULL;
}

err_t located_put_back(const struct target *t, const struct located_kept *k)
{
	struct target view;

	TRY(view_of(t, k, &view));
	return swaparea_set(&view, SWAPHEADER_SWAP);
}

err_t located_check(const struct target *t)
{
	if (t->map_unreadable)
		return err_new(ERR_IO, "the extent map of %s cannot be read", t->name);
	if (t->map_gone)
		return err_new(ERR_CORRUPT, "the extent map of %s is damaged", t->name);
	return NULL;
}

/* How the path-taking functions end. */
static err_t opened(struct target *disk, err_t e, struct target *out)
{
	if (e)
		target_close(disk);
	else
		*out = *disk;
	return e;
}

err_t located_create(const char *disk, const struct extent *extents, uint32_t count,
		     uint64_t locator, const uint8_t nonce[NONCE_BYTES], struct target *out)
{
	struct target t;

	TRY(target_open(&t, disk, true, false));
	return opened(&t, located_lay(&t, extents, count, locator, nonce), out);
}

err_t located_open(const char *disk, bool writable, uint64_t map_place, struct target *out)
{
	struct target t;

	TRY(target_open(&t, disk, writable, false));
	return opened(&t, located_enter(&t, map_place), out);
}

err_t located_open_head(const char *disk, bool writable, uint64_t head, struct target *out)
{
	struct target t;

	TRY(target_open(&t, disk, writable, false));
	return opened(&t, located_enter_head(&t, head), out);
}

err_t located_open_locator(const char *disk, bool writable, uint64_t locator, struct target *out)
{
	struct target t;

	TRY(target_open(&t, disk, writable, false));
	return opened(&t, located_enter_locator(&t, locator), out);
}
