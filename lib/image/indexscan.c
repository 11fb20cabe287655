/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/indexscan.h"

#include "base/crc32c.h"
#include "base/util.h"
#include "codec/codec.h"
#include "image/alloc.h"
#include "image/located.h"

#include <stdlib.h>
#include <string.h>

err_t indexscan_read_region(const struct target *t, const struct slot *slot,
			    const struct slot_region *region, size_t max, const char *what,
			    uint8_t **out)
{
	CLEANUP_FREE uint8_t *buf = NULL;
	uint64_t whole = align_up(region->length, PAGE_BYTES);

	TRY(located_check(t));
	/* Cut off: damage, and no failure of the device when something is read there. */
	if (slot->image_end > t->bytes)
		return err_new(ERR_CORRUPT, "the image ends at byte %llu, %s at %llu",
			       (unsigned long long)slot->image_end, t->name,
			       (unsigned long long)t->bytes);
	if (!region->length || region->length > max || region->offset % PAGE_BYTES ||
	    region->offset < SLOT_DATA_START || region->offset > slot->image_end ||
	    whole > slot->image_end - region->offset)
		return err_new(ERR_CORRUPT, "%s of the image lies outside of it", what);
	buf = target_buffer(whole);
	if (!buf)
		return err_new(ERR_NOMEM, "%s of the image", what);
	TRY(err_context(target_read(t, buf, whole, region->offset), "%s of the image", what));
	if (crc32c(0, buf, region->length) != region->crc32c)
		return err_new(ERR_CORRUPT, "%s of the image: checksum differs", what);
	*out = buf;
	buf = NULL;
	return NULL;
}

err_t indexscan_init(struct indexscan *s, const struct target *target, const struct slot *slot,
		     const struct hostinfo *info)
{
	*s = (struct indexscan){.target = target, .slot = slot};
	room_init(&s->room, info);
	s->buf = alloc_now(INDEX_SEGMENT_MAX);
	if (!s->buf)
		return err_new(ERR_NOMEM, "index segment");
	TRY(indexscan_read_region(target, slot, &slot->directory, DIRECTORY_MAX, "the directory",
				  &s->directory));
	return directory_decode(s->directory, slot->directory.length, slot->nonce, &s->segments);
}

void indexscan_deinit(struct indexscan *s)
{
	free(s->directory);
	free(s->buf);
}

void indexscan_rewind(struct indexscan *s)
{
	s->next = 0;
	s->cursor = (struct index_cursor){0};
	s->data_pages = s->zero_pages = s->fill_pages = s->stored_bytes = 0;
}

static err_t read_segment(struct indexscan *s)
{
	uint32_t number = s->next++;
	struct index_place place;

	TRY(directory_place(s->directory, number, s->slot->image_end, &place));
	TRY(target_read(s->target, s->buf, align_up(place.length, PAGE_BYTES), place.offset));
	if (crc32c(0, s->buf, place.length) != place.crc32c)
		return err_new(ERR_CORRUPT, "checksum differs");
	return index_cursor_init(&s->cursor, s->buf, place.length, s->slot->nonce, number,
				 s->cursor.next_pfn);
}

static err_t name_segment(const struct indexscan *s, err_t e)
{
	return err_context(e, "index segment %u, for memory from %#llx on", s->next - 1,
			   (unsigned long long)s->cursor.next_pfn * PAGE_BYTES);
}

/* NULL when damage is to be told and passed over. */
static err_t pass_over(struct indexscan *s, err_t e)
{
	if (!e || !s->damaged || err_kind(e) == ERR_NOMEM)
		return e;
	s->any_damaged = true;
	s->damaged(s->damaged_arg, e);
	err_free(e);
	return NULL;
}

static err_t chunk_error(enum err_kind kind, const struct chunk *c, const char *what)
{
	return err_new(kind, "index entry for page %#llx: %s", (unsigned long long)c->first_pfn,
		       what);
}

/* Where and how the data is stored. */
static err_t check_data(const struct indexscan *s, const struct chunk *c)
{
	uint32_t raw = c->data_pages * PAGE_BYTES;

	if (!c->data_pages)
		return NULL;
	if (c->offset + c->stored > s->slot->image_end)
		return chunk_error(ERR_CORRUPT, c, "its data lies outside of the image");
	if (!codec_by_id(c->codec))
		return err_new(ERR_UNSUPPORTED, "index entry for page %#llx: unknown codec %u",
			       (unsigned long long)c->first_pfn, c->codec);
	if ((c->codec == CODEC_NONE) != (c->stored == raw))
		return chunk_error(ERR_CORRUPT, c, "stored size does not fit its pages");
	return NULL;
}

/* Which pages it names; also counts them. */
static err_t check_pages(struct indexscan *s, const struct chunk *c)
{
	uint64_t pfn = c->first_pfn;

	for (uint16_t i = 0; i < c->run_count; i++) {
		const struct run *run = &c->runs[i];

		if (run->kind != RUN_SKIP && !room_holds(&s->room, pfn, run->pages))
			return chunk_error(ERR_CORRUPT, c,
					   "it names pages that are not the host's RAM");
		s->zero_pages += run->kind == RUN_ZERO ? run->pages : 0;
		s->fill_pages += run->kind == RUN_FILL ? run->pages : 0;
		pfn += run->pages;
	}
	s->data_pages += c->data_pages;
	s->stored_bytes += c->stored;
	return NULL;
}

static err_t check_counts(const struct indexscan *s)
{
	if (s->data_pages != s->slot->data_pages || s->zero_pages != s->slot->zero_pages ||
	    s->fill_pages != s->slot->fill_pages || s->stored_bytes != s->slot->stored_bytes ||
	    s->data_pages * PAGE_BYTES != s->slot->raw_bytes)
		return err_new(ERR_CORRUPT, "the index has other counts than the superblock");
	return NULL;
}

/* The next entry of the segment at hand, checked; *more = false at its end. */
static err_t next_of_segment(struct indexscan *s, struct chunk *chunk, bool *more)
{
	err_t e = index_cursor_next(&s->cursor, chunk, more);

	if (e) {
		s->cursor.left = 0; /* where the next entry begins is not known */
		s->cursor.p = s->cursor.end;
		return name_segment(s, e);
	}
	if (*more) {
		TRY(check_data(s, chunk));
		TRY(check_pages(s, chunk));
	}
	return NULL;
}

err_t indexscan_next(struct indexscan *s, struct chunk *chunk, bool *more)
{
	for (;;) {
		err_t e = next_of_segment(s, chunk, more);

		if (e) {
			TRY(pass_over(s, e));
			continue;
		}
		if (*more)
			return NULL;
		if (s->next == s->segments)
			return s->any_damaged ? NULL : check_counts(s);
		e = read_segment(s);
		TRY(pass_over(s, e ? name_segment(s, e) : NULL));
	}
}
