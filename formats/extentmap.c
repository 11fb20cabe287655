/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/extentmap.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/util.h"

#include <assert.h>

#define VERSION 1u

static const char magic[8] = {'D', 'O', 'R', 'M', '-', 'M', 'A', 'P'};

struct entry_disk {
	le64_t start;
	le64_t length;
};

/* docs/image-format.md, "Extent map" */
struct map_disk {
	uint8_t magic[8];
	le32_t version;
	le32_t number;
	uint8_t nonce[NONCE_BYTES];
	le32_t blocks;
	le32_t entries;
	le64_t next;
	le64_t locator; /* this and saved: in the first block */
	uint8_t saved[LOCATOR_BYTES];
	struct entry_disk list[EXTENTMAP_ENTRIES];
	le32_t reserved;
	le32_t crc32c;
};

static_assert(sizeof(struct map_disk) == EXTENTMAP_BYTES, "Extent map");
static_assert(offsetof(struct map_disk, nonce) == 16, "Extent map: nonce");
static_assert(offsetof(struct map_disk, blocks) == 32, "Extent map: blocks");
static_assert(offsetof(struct map_disk, next) == 40, "Extent map: next");
static_assert(offsetof(struct map_disk, locator) == 48, "Extent map: locator");
static_assert(offsetof(struct map_disk, saved) == 56, "Extent map: saved");
static_assert(offsetof(struct map_disk, list) == 568, "Extent map: extents");
static_assert(offsetof(struct map_disk, crc32c) == 4092, "Extent map: checksum");
static_assert(EXTENTMAP_BLOCKS_MAX == 298, "Extent map: blocks");

static uint32_t blocks_for(uint32_t extents)
{
	return (extents + EXTENTMAP_ENTRIES - 1) / EXTENTMAP_ENTRIES;
}

/* The disk place of an offset of the address space; 0: past its end. */
static uint64_t place_of(const struct extentmap *m, uint64_t offset)
{
	for (uint32_t i = 0; i < m->extent_count; i++) {
		if (offset < m->extents[i].length)
			return m->extents[i].start + offset;
		offset -= m->extents[i].length;
	}
	return 0;
}

static uint64_t total(const struct extentmap *m)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < m->extent_count; i++)
		bytes += m->extents[i].length;
	return bytes;
}

/* A page off the end of the address space, for one more block. */
static void take_page(struct extentmap *m)
{
	struct extent *last = &m->extents[m->extent_count - 1];

	last->length -= PAGE_BYTES;
	m->places[m->blocks++] = last->start + last->length;
	if (!last->length)
		m->extent_count--;
}

err_t extentmap_plan(struct extentmap *m, const struct extent *extents, uint32_t count)
{
	struct extentmap new = {.blocks = 1, .extent_count = (uint32_t)min_u64(count, EXTENTS_MAX)};
	err_t too_small;

	new.extents = malloc((new.extent_count ? new.extent_count : 1) * sizeof(*extents));
	if (!new.extents)
		return err_new(ERR_NOMEM, "extent map");
	for (uint32_t i = 0; i < new.extent_count; i++)
		new.extents[i] = extents[i];
	while (new.extent_count &&new.blocks < blocks_for(new.extent_count))
		take_page(&new);
	/* With the last page of an extent one block less may do. */
	new.blocks = blocks_for(new.extent_count);
	new.places[0] = place_of(&new, EXTENTMAP_OFFSET);
	if (new.places[0] && total(&new) > SLOT_DATA_START) {
		*m = new;
		return NULL;
	}
	too_small = err_new(ERR_NOSPACE,
			    "its parts on the disk have %llu bytes: too small for "
			    "an image",
			    (unsigned long long)total(&new));
	extentmap_deinit(&new);
	return too_small;
}

void extentmap_encode(const struct extentmap *m, uint32_t number, uint8_t out[EXTENTMAP_BYTES])
{
	struct map_disk *d = (struct map_disk *)out;
	uint32_t first = number * EXTENTMAP_ENTRIES;
	uint32_t n = (uint32_t)min_u64(m->extent_count - first, EXTENTMAP_ENTRIES);

	assert(number < m->blocks);
	memset(d, 0, sizeof(*d));
	memcpy(d->magic, magic, sizeof(magic));
	d->version = le32_of(VERSION);
	d->number = le32_of(number);
	memcpy(d->nonce, m->nonce, NONCE_BYTES);
	d->blocks = le32_of(m->blocks);
	d->entries = le32_of(n);
	d->next = le64_of(number + 1 < m->blocks ? m->places[number + 1] : 0);
	if (!number) {
		d->locator = le64_of(m->locator);
		memcpy(d->saved, m->saved, LOCATOR_BYTES);
	}
	for (uint32_t i = 0; i < n; i++)
		d->list[i] = (struct entry_disk){le64_of(m->extents[first + i].start),
						 le64_of(m->extents[first + i].length)};
	d->crc32c = le32_of(crc32c(0, d, offsetof(struct map_disk, crc32c)));
}

void extentmap_init(struct extentmap *m, uint64_t place)
{
	memset(m, 0, sizeof(*m));
	m->places[0] = place;
}

void extentmap_deinit(struct extentmap *m)
{
	free(m->extents);
	m->extents = NULL;
	m->extent_count = 0;
}

bool extentmap_complete(const struct extentmap *m)
{
	return m->added && m->added == m->blocks;
}

static bool is_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		if (b[i])
			return false;
	return true;
}

/* What is the same rule for each block. */
static err_t check_block(const struct map_disk *d)
{
	uint32_t number = le32_get(d->number), blocks = le32_get(d->blocks);
	uint32_t entries = le32_get(d->entries);
	uint64_t next = le64_get(d->next), locator = le64_get(d->locator);
	bool last = number + 1 == blocks;

	if (blocks > EXTENTMAP_BLOCKS_MAX || number >= blocks)
		return err_new(ERR_CORRUPT, "extent map has block %u of %u", number, blocks);
	if (!entries || entries > EXTENTMAP_ENTRIES || (!last && entries != EXTENTMAP_ENTRIES) ||
	    number * EXTENTMAP_ENTRIES + entries > EXTENTS_MAX)
		return err_new(ERR_CORRUPT, "extent map has %u extents in block %u of %u", entries,
			       number, blocks);
	if (last ? next != 0 : (!next || next % PAGE_BYTES || next > INT64_MAX))
		return err_new(ERR_CORRUPT, "extent map has a bad place of its block %u",
			       number + 1);
	if (locator ? number || !locator_place_ok(locator) : !is_zero(d->saved, sizeof(d->saved)))
		return err_new(ERR_CORRUPT, "extent map has a bad place of its locator");
	if (le32_get(d->reserved) ||
	    !is_zero(d->list + entries, (EXTENTMAP_ENTRIES - entries) * sizeof(*d->list)))
		return err_new(ERR_CORRUPT, "extent map has a reserved field that is not zero");
	return NULL;
}

/* The first block says what the others must be like. */
static err_t check_chain(const struct extentmap *m, const struct map_disk *d)
{
	if (le32_get(d->number) != m->added)
		return err_new(ERR_CORRUPT, "extent map has block %u where block %u should be",
			       le32_get(d->number), m->added);
	if (m->added &&
	    (le32_get(d->blocks) != m->blocks || memcmp(d->nonce, m->nonce, NONCE_BYTES)))
		return err_new(ERR_CORRUPT, "block %u of the extent map is of another map",
			       m->added);
	return NULL;
}

static err_t take_block(struct extentmap *m, const struct map_disk *d)
{
	uint32_t entries = le32_get(d->entries);
	struct extent *more =
		reallocarray(m->extents, m->extent_count + entries, sizeof(*m->extents));

	if (!more)
		return err_new(ERR_NOMEM, "extent map");
	m->extents = more;
	for (uint32_t i = 0; i < entries; i++)
		m->extents[m->extent_count++] =
			(struct extent){le64_get(d->list[i].start), le64_get(d->list[i].length)};
	if (!m->added) {
		memcpy(m->nonce, d->nonce, NONCE_BYTES);
		m->blocks = le32_get(d->blocks);
		m->locator = le64_get(d->locator);
		memcpy(m->saved, d->saved, LOCATOR_BYTES);
	}
	m->added++;
	if (m->added < m->blocks)
		m->places[m->added] = le64_get(d->next);
	return NULL;
}

err_t extentmap_add(struct extentmap *m, const uint8_t block[EXTENTMAP_BYTES])
{
	const struct map_disk *d = (const struct map_disk *)block;

	/* What the first block refers to claims to be one. */
	if (memcmp(d->magic, magic, sizeof(magic)))
		return err_new(m->added ? ERR_CORRUPT : ERR_FORMAT, "no %s here",
			       m->added ? "further block of the extent map" : "extent map");
	if (le32_get(d->crc32c) != crc32c(0, d, offsetof(struct map_disk, crc32c)))
		return err_new(ERR_CORRUPT, "extent map has a wrong checksum");
	if (le32_get(d->version) != VERSION)
		return err_new(ERR_UNSUPPORTED, "extent map is of version %u, known is %u",
			       le32_get(d->version), VERSION);
	TRY(check_block(d));
	TRY(check_chain(m, d));
	return take_block(m, d);
}

/* The extents, the further blocks, and the page of the locator, in one list: apart from
 * each other. The first block is within the extents. */
err_t extentmap_check(const struct extentmap *m, uint64_t disk_bytes)
{
	CLEANUP_FREE struct extent *all = NULL;
	uint32_t n = m->extent_count;

	assert(extentmap_complete(m) && n <= EXTENTS_MAX);
	all = malloc((n + m->blocks + 1) * sizeof(*all));
	if (!all)
		return err_new(ERR_NOMEM, "extent map");
	memcpy(all, m->extents, n * sizeof(*all));
	for (uint32_t i = 1; i < m->blocks; i++)
		all[n++] = (struct extent){m->places[i], EXTENTMAP_BYTES};
	if (m->locator)
		all[n++] = (struct extent){m->locator - LOCATOR_AT, PAGE_BYTES};
	TRY(err_context(extent_check(all, n, min_u64(disk_bytes, INT64_MAX), ERR_CORRUPT),
			"extent map"));
	if (place_of(m, EXTENTMAP_OFFSET) != m->places[0])
		return err_new(ERR_CORRUPT, "extent map lies where it does not say it does");
	if (total(m) <= SLOT_DATA_START)
		return err_new(ERR_CORRUPT, "extent map is of a target of %llu bytes",
			       (unsigned long long)total(m));
	if (!m->locator && m->extents[0].length < SLOT_DATA_START)
		return err_new(ERR_CORRUPT, "extent map has the head of a file in pieces");
	return NULL;
}
