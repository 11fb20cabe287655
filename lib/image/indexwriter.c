/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/indexwriter.h"

#include "base/crc32c.h"
#include "image/alloc.h"
#include "keys/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* No entry needs more: 48 bytes, and at most 10 for each run ("Index"). The
 * other side, what a segment holds at least, leaves room for its header. */
#define ENTRY_MAX     (48u + CHUNK_PAGES * 10u)
#define SEGMENT_LEAST (INDEX_SEGMENT_MAX - 64u - ENTRY_MAX)

struct indexwriter {
	struct staging *staging;
	uint8_t nonce[NONCE_BYTES];
	bool sealed;
	struct sealer sealer;
	struct index_segment segment;
	uint32_t count, capacity; /* of places */
	struct index_place *places;
	uint8_t *directory; /* room for it encoded */
};

static err_t allocate(struct indexwriter *w, uint64_t blocks)
{
	uint64_t most = blocks / (SEGMENT_LEAST / ENTRY_MAX) + 1;

	if (most < UINT32_MAX && directory_bytes((uint32_t)most, w->sealed) <= DIRECTORY_MAX) {
		w->capacity = (uint32_t)most;
		w->places = alloc_now(most * sizeof(*w->places));
		w->directory = alloc_now(directory_bytes(w->capacity, w->sealed));
	}
	if (!w->places || !w->directory)
		return err_new(ERR_NOMEM, "index of %llu blocks", (unsigned long long)blocks);
	return NULL;
}

err_t indexwriter_create(struct staging *staging, const uint8_t nonce[NONCE_BYTES], uint64_t blocks,
			 const struct image_seal *seal, struct indexwriter **out)
{
	struct indexwriter *w = alloc_now(sizeof(*w));
	err_t e;

	if (!w)
		return err_new(ERR_NOMEM, "index");
	w->staging = staging;
	w->sealed = seal != NULL;
	memcpy(w->nonce, nonce, NONCE_BYTES);
	e = allocate(w, blocks);
	if (!e && seal)
		e = sealing_open(&w->sealer, cipher_id(seal->cipher), nonce, &seal->keys);
	if (e) {
		indexwriter_destroy(w);
		return e;
	}
	index_segment_init(&w->segment, w->nonce, 0, w->sealed);
	*out = w;
	return NULL;
}

void indexwriter_destroy(struct indexwriter *w)
{
	if (!w)
		return;
	sealing_close(&w->sealer);
	free(w->places);
	free(w->directory);
	free(w);
}

/* The open segment goes out, and the next one is begun. */
static err_t close_segment(struct indexwriter *w)
{
	struct index_place *place = &w->places[w->count];

	assert(w->count < w->capacity);
	place->length = (uint32_t)index_segment_finish(&w->segment);
	if (w->sealed)
		TRY(sealing_encrypt(&w->sealer, SEALING_SEGMENT, w->count, w->segment.buf,
				    place->length, place->tag));
	place->crc32c = crc32c(0, w->segment.buf, place->length);
	TRY(staging_append(w->staging, w->segment.buf, place->length, true, &place->offset));
	w->count++;
	index_segment_init(&w->segment, w->nonce, w->count, w->sealed);
	return NULL;
}

err_t indexwriter_add(struct indexwriter *w, const struct chunk *chunk)
{
	bool fits;

	if (index_segment_add(&w->segment, chunk))
		return NULL;
	TRY(close_segment(w));
	fits = index_segment_add(&w->segment, chunk);
	assert(fits);
	(void)fits;
	return NULL;
}

err_t indexwriter_finish(struct indexwriter *w, struct slot_region *directory,
			 uint8_t sha256[SLOT_DIGEST_BYTES])
{
	size_t n;

	if (w->segment.entries)
		TRY(close_segment(w));
	n = directory_bytes(w->count, w->sealed);
	directory_encode(w->places, w->count, w->nonce, w->sealed, w->directory);
	if (w->sealed)
		TRY(digest_sha256(w->directory, n, sha256));
	directory->length = (uint32_t)n;
	directory->crc32c = crc32c(0, w->directory, n);
	return staging_append(w->staging, w->directory, n, true, &directory->offset);
}
