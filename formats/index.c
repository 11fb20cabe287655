/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/index.h"

#include "base/bytes.h"
#include "base/util.h"
#include "formats/slot.h"

#include <assert.h>

#define NONCE	   INDEX_NONCE_BYTES
#define PFN_LIMIT  (1ull << (52 - PAGE_BITS)) /* x86_64 has 52-bit physical addresses */
#define KIND_SHIFT 14
#define COUNT_MASK 0x3fffu

static const char magic[8] = {'D', 'O', 'R', 'M', '-', 'I', 'D', 'X'};

/* docs/image-format.md, "Index" */
struct segment_disk {
	uint8_t magic[8];
	uint8_t nonce[NONCE];
	le32_t number;
	le32_t entries;
	le32_t bytes;
	le16_t entry_bytes; /* of an entry's fixed part */
	le16_t reserved;
};

struct entry_disk {
	le64_t first_pfn;
	le64_t offset;
	le32_t stored;
	le32_t crc32c;
	uint8_t codec;
	uint8_t reserved;
	le16_t data_pages;
	le16_t run_count;
	le16_t reserved2;
	/* here the tag in a sealed image; then the runs */
};

static size_t entry_bytes(bool sealed)
{
	return sizeof(struct entry_disk) + (sealed ? INDEX_TAG_BYTES : 0);
}

static_assert(sizeof(struct segment_disk) == 40, "Index: segment header");
static_assert(offsetof(struct segment_disk, nonce) == 8, "Index: nonce");
static_assert(offsetof(struct segment_disk, number) == 24, "Index: number");
static_assert(offsetof(struct segment_disk, bytes) == 32, "Index: bytes");
static_assert(offsetof(struct segment_disk, entry_bytes) == 36, "Index: entry_bytes");
static_assert(sizeof(struct entry_disk) == 32, "Index: entry");
static_assert(offsetof(struct entry_disk, offset) == 8, "Index: offset");
static_assert(offsetof(struct entry_disk, stored) == 16, "Index: stored");
static_assert(offsetof(struct entry_disk, codec) == 24, "Index: codec");
static_assert(offsetof(struct entry_disk, run_count) == 28, "Index: run_count");
static_assert(RUN_FILL << KIND_SHIFT <= UINT16_MAX && CHUNK_PAGES <= COUNT_MASK, "Index: run");

void index_segment_init(struct index_segment *seg, const uint8_t nonce[NONCE], uint32_t number,
			bool sealed)
{
	struct segment_disk *h = (struct segment_disk *)seg->buf;

	memset(h, 0, sizeof(*h));
	memcpy(h->magic, magic, sizeof(h->magic));
	memcpy(h->nonce, nonce, NONCE);
	h->number = le32_of(number);
	h->entry_bytes = le16_of((uint16_t)entry_bytes(sealed));
	seg->used = sizeof(*h);
	seg->entries = 0;
	seg->sealed = sealed;
}

static size_t run_bytes(enum run_kind kind)
{
	return sizeof(le16_t) + (kind == RUN_FILL ? sizeof(le64_t) : 0);
}

/* What an entry with these runs takes; also their data pages. */
static size_t entry_size(const struct chunk *c, bool sealed, uint32_t *data_pages)
{
	size_t n = entry_bytes(sealed);
	uint32_t pages = 0;

	*data_pages = 0;
	for (size_t i = 0; i < c->run_count; i++) {
		const struct run *run = &c->runs[i];

		assert(run->pages >= 1 && run->pages <= CHUNK_PAGES);
		pages += run->pages;
		if (run->kind == RUN_DATA)
			*data_pages += run->pages;
		n += run_bytes(run->kind);
	}
	assert(c->run_count >= 1 && pages <= CHUNK_PAGES);
	return n;
}

static void put_runs(const struct chunk *c, uint8_t *p)
{
	for (size_t i = 0; i < c->run_count; i++) {
		const struct run *run = &c->runs[i];
		le16_t head = le16_of((uint16_t)(run->kind << KIND_SHIFT | run->pages));
		le64_t word = le64_of(run->word);

		memcpy(p, &head, sizeof(head));
		if (run->kind == RUN_FILL)
			memcpy(p + sizeof(head), &word, sizeof(word));
		p += run_bytes(run->kind);
	}
}

bool index_segment_add(struct index_segment *seg, const struct chunk *chunk)
{
	struct entry_disk *e = (struct entry_disk *)(seg->buf + seg->used);
	uint32_t data_pages;
	size_t n;

	assert(chunk->run_count <= CHUNK_PAGES && chunk->first_pfn % CHUNK_PAGES == 0);
	n = entry_size(chunk, seg->sealed, &data_pages);
	assert(chunk->stored <= data_pages * PAGE_BYTES && !chunk->stored == !data_pages);
	if (n > sizeof(seg->buf) - seg->used)
		return false;
	*e = (struct entry_disk){
		.first_pfn = le64_of(chunk->first_pfn),
		.data_pages = le16_of((uint16_t)data_pages),
		.run_count = le16_of(chunk->run_count),
	};
	if (seg->sealed)
		memset(e + 1, 0, INDEX_TAG_BYTES);
	if (data_pages) {
		e->offset = le64_of(chunk->offset);
		e->stored = le32_of(chunk->stored);
		e->crc32c = le32_of(chunk->crc32c);
		e->codec = chunk->codec;
		if (seg->sealed)
			memcpy(e + 1, chunk->tag, INDEX_TAG_BYTES);
	}
	put_runs(chunk, seg->buf + seg->used + entry_bytes(seg->sealed));
	seg->used += n;
	seg->entries++;
	return true;
}

size_t index_segment_finish(struct index_segment *seg)
{
	struct segment_disk *h = (struct segment_disk *)seg->buf;

	h->entries = le32_of(seg->entries);
	h->bytes = le32_of((uint32_t)seg->used);
	return seg->used;
}

err_t index_cursor_init(struct index_cursor *cur, const uint8_t *buf, size_t n,
			const uint8_t nonce[NONCE], uint32_t number, uint64_t next_pfn, bool sealed)
{
	const struct segment_disk *h = (const struct segment_disk *)buf;

	if (n < sizeof(*h) || n > INDEX_SEGMENT_MAX || memcmp(h->magic, magic, 8))
		return err_new(ERR_CORRUPT, "index segment %u is none", number);
	if (memcmp(h->nonce, nonce, NONCE))
		return err_new(ERR_CORRUPT, "index segment %u is of another image", number);
	if (le32_get(h->number) != number)
		return err_new(ERR_CORRUPT, "index segment %u is number %u", number,
			       le32_get(h->number));
	if (le32_get(h->bytes) != n || le16_get(h->entry_bytes) != entry_bytes(sealed) ||
	    le16_get(h->reserved))
		return err_new(ERR_CORRUPT, "index segment %u has a bad header", number);
	*cur = (struct index_cursor){buf + sizeof(*h), buf + n, le32_get(h->entries), next_pfn,
				     sealed};
	return NULL;
}

/*
 * One run at *p; false when it does not fit before end, has no pages, or more
 * than are left of the block.
 */
static bool take_run(const uint8_t **p, const uint8_t *end, uint32_t pages_left, struct run *run)
{
	size_t left = (size_t)(end - *p);
	le16_t head;
	le64_t word = {{0}};

	if (left < sizeof(head))
		return false;
	memcpy(&head, *p, sizeof(head));
	run->kind = (enum run_kind)(le16_get(head) >> KIND_SHIFT);
	run->pages = le16_get(head) & COUNT_MASK;
	if (left < run_bytes(run->kind) || run->pages == 0 || run->pages > pages_left)
		return false;
	if (run->kind == RUN_FILL)
		memcpy(&word, *p + sizeof(head), sizeof(word));
	run->word = le64_get(word);
	*p += run_bytes(run->kind);
	return true;
}

/* The runs of an entry into chunk; *p goes on behind them. */
static bool take_runs(const uint8_t **p, const uint8_t *end, uint32_t count, struct chunk *chunk)
{
	uint32_t left = CHUNK_PAGES, data_pages = 0;

	if (count == 0 || count > CHUNK_PAGES)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct run *run = &chunk->runs[i];

		if (!take_run(p, end, left, run))
			return false;
		left -= run->pages;
		if (run->kind == RUN_DATA)
			data_pages += run->pages;
	}
	chunk->run_count = (uint16_t)count;
	chunk->data_pages = (uint16_t)data_pages;
	return true;
}

/* The stored bytes of a chunk whose runs are known. */
static bool place_ok(const struct chunk *c)
{
	static const uint8_t no_tag[INDEX_TAG_BYTES];

	if (c->data_pages == 0)
		return !c->stored && !c->offset && !c->crc32c && !c->codec &&
		       !memcmp(c->tag, no_tag, sizeof(no_tag));
	return c->stored >= 1 && c->stored <= c->data_pages * PAGE_BYTES &&
	       c->offset >= SLOT_DATA_START && c->offset <= (uint64_t)INT64_MAX - c->stored;
}

/* No entry left: then no byte may be left either. */
static err_t cursor_end(const struct index_cursor *cur)
{
	if (cur->p != cur->end)
		return err_new(ERR_CORRUPT, "index segment has bytes after its last entry");
	return NULL;
}

err_t index_cursor_next(struct index_cursor *cur, struct chunk *chunk, bool *more)
{
	const struct entry_disk *e = (const struct entry_disk *)cur->p;
	const uint8_t *p;

	*more = cur->left > 0;
	if (!cur->left)
		return cursor_end(cur);
	if ((size_t)(cur->end - cur->p) < entry_bytes(cur->sealed))
		return err_new(ERR_CORRUPT, "index segment ends within an entry");
	p = cur->p + entry_bytes(cur->sealed);
	chunk->first_pfn = le64_get(e->first_pfn);
	chunk->offset = le64_get(e->offset);
	chunk->stored = le32_get(e->stored);
	chunk->crc32c = le32_get(e->crc32c);
	chunk->codec = e->codec;
	memset(chunk->tag, 0, sizeof(chunk->tag));
	if (cur->sealed)
		memcpy(chunk->tag, e + 1, sizeof(chunk->tag));
	if (chunk->first_pfn % CHUNK_PAGES || chunk->first_pfn < cur->next_pfn ||
	    chunk->first_pfn >= PFN_LIMIT)
		return err_new(ERR_CORRUPT, "index entry for page %#llx is out of order",
			       (unsigned long long)chunk->first_pfn);
	if (!take_runs(&p, cur->end, le16_get(e->run_count), chunk))
		return err_new(ERR_CORRUPT, "index entry for page %#llx has bad runs",
			       (unsigned long long)chunk->first_pfn);
	if (chunk->data_pages != le16_get(e->data_pages) || e->reserved || le16_get(e->reserved2) ||
	    !place_ok(chunk))
		return err_new(ERR_CORRUPT, "index entry for page %#llx has a bad place",
			       (unsigned long long)chunk->first_pfn);
	cur->p = p;
	cur->left--;
	cur->next_pfn = chunk->first_pfn + CHUNK_PAGES;
	return NULL;
}
