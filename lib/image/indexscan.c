/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/indexscan.h"

#include "base/crc32c.h"
#include "base/util.h"
#include "codec/codec.h"
#include "image/alloc.h"
#include "image/parts.h"

#include <stdlib.h>
#include <string.h>

/* The tag before all else; then the means to read what it vouches for. */
static err_t unseal(struct indexscan *s, const struct image_keys *keys)
{
	TRY(sealing_check_tag(keys, s->slot));
	TRY(sealing_need_keys(keys, s->slot));
	if (!s->sealed)
		return NULL;
	return sealing_open(&s->sealer, s->slot->sealing.cipher, s->slot->nonce, keys);
}

static err_t read_directory(struct indexscan *s)
{
	const struct slot *slot = s->slot;

	TRY(parts_read_region(s->target, slot, &slot->directory, DIRECTORY_MAX, "the directory",
			      &s->directory));
	if (s->sealed)
		TRY(sealing_check_digest(s->directory, slot->directory.length,
					 slot->sealing.directory_sha256,
					 "the directory of the image"));
	return directory_decode(s->directory, slot->directory.length, slot->nonce, s->sealed,
				&s->segments);
}

err_t indexscan_init(struct indexscan *s, const struct target *target, const struct slot *slot,
		     const struct image_keys *keys, const struct hostinfo *info)
{
	*s = (struct indexscan){.target = target, .slot = slot, .sealed = slot_is_sealed(slot)};
	TRY(unseal(s, keys));
	room_init(&s->room, info);
	s->buf = alloc_now(INDEX_SEGMENT_MAX);
	if (!s->buf)
		return err_new(ERR_NOMEM, "index segment");
	return read_directory(s);
}

void indexscan_deinit(struct indexscan *s)
{
	sealing_close(&s->sealer);
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

	TRY(directory_place(s->directory, number, s->sealed, s->slot->image_end, &place));
	TRY(target_read(s->target, s->buf, align_up(place.length, PAGE_BYTES), place.offset));
	if (crc32c(0, s->buf, place.length) != place.crc32c)
		return err_new(ERR_CORRUPT, "checksum differs");
	if (s->sealed)
		TRY(sealing_decrypt(&s->sealer, SEALING_SEGMENT, number, s->buf, place.length,
				    place.tag));
	return index_cursor_init(&s->cursor, s->buf, place.length, s->slot->nonce, number,
				 s->cursor.next_pfn, s->sealed);
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
