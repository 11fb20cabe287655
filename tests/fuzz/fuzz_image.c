/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A whole image, read as resume and the tools do: superblock, header, index, all
 * chunks, with one thread and without io_uring. The input is smallimage.h's.
 * Planted and found in 10 s: an unknown codec; a decompressor that trusts its
 * input; an image cut off; pages placed that are no RAM; a byte too many zeroed.
 */
#include "fuzz.h"
#include "mutate.h"
#include "recycle.h"
#include "smallimage.h"

#include "base/util.h"
#include "elf/dump.h"
#include "image/commit.h"
#include "image/keyless.h"
#include "image/reader.h"

#include <sys/mman.h>

/* Offsets in the structures of docs/image-format.md. */
enum {
	SLOT_HEADER = 56,
	SLOT_DIRECTORY = 72,
	SLOT_END = 88,
	SLOT_DATA_PAGES = 96,
	SLOT_ZERO_PAGES = 104,
	SLOT_FILL_PAGES = 112,
	SLOT_RAW = 120,
	SLOT_STORED = 128,
	SLOT_CRC = 4092,
	DIRECTORY_PLACE = 32,
	SEGMENT_BYTES = 32,
	SEGMENT_ENTRIES = 40,
	ENTRY_BYTES = 32,
};

struct counts {
	uint64_t data, zero, fill, stored;
};

struct image {
	uint8_t b[SMALLIMAGE_BYTES];
	uint16_t n[PARTS]; /* bytes of each part */
	uint8_t flags;
};

static uint8_t *part(struct image *im, enum part p)
{
	return im->b + smallimage_place[p].offset;
}

static void lay_out(struct image *im, const uint8_t *in, size_t n)
{
	le16_t length[PARTS];

	memset(im, 0, sizeof(*im));
	fuzz_take(&in, &n, &im->flags, 1);
	fuzz_take(&in, &n, length, sizeof(length));
	for (int p = 0; p < PARTS; p++) {
		im->n[p] = (uint16_t)min_u64(le16_get(length[p]), smallimage_place[p].room);
		fuzz_take(&in, &n, part(im, (enum part)p), im->n[p]);
	}
}

/* Runs of an entry: how many bytes, and what they count. */
static size_t count_runs(const uint8_t *p, size_t left, unsigned int runs, struct counts *c)
{
	size_t at = 0;

	for (; runs; runs--) {
		unsigned int head, bytes;

		if (left - at < 2)
			return left;
		head = p[at] | p[at + 1] << 8;
		bytes = head >> 14 == 3 ? 10 : 2;
		if (left - at < bytes)
			return left;
		*(head >> 14 == 1   ? &c->data
		  : head >> 14 == 2 ? &c->zero
		  : head >> 14 == 3 ? &c->fill
				    : &(uint64_t){0}) += head & 0x3fff;
		at += bytes;
	}
	return at;
}

/* Checksums of the chunks that are in the file, and the counts of all. */
static void fix_entries(struct image *im, struct counts *c)
{
	uint8_t *p = part(im, PART_SEGMENT);
	size_t n = im->n[PART_SEGMENT];

	for (size_t at = SEGMENT_ENTRIES; at + ENTRY_BYTES <= n;) {
		uint64_t offset = fuzz_get64(p + at + 8);
		uint32_t stored = fuzz_get32(p + at + 16);

		if (!(im->flags & SMALLIMAGE_KEEP_CHECKSUMS) && stored &&
		    offset < SMALLIMAGE_BYTES && stored <= SMALLIMAGE_BYTES - offset)
			fuzz_put32(p + at + 20, crc32c(0, im->b + offset, stored));
		c->stored += stored;
		at += ENTRY_BYTES + count_runs(p + at + ENTRY_BYTES, n - at - ENTRY_BYTES,
					       p[at + 28] | p[at + 29] << 8, c);
	}
}

/* A region: offset, length, checksum, of a part. */
static void fix_region(struct image *im, uint8_t *region, enum part p)
{
	if (!(im->flags & SMALLIMAGE_KEEP_PLACES)) {
		fuzz_put64(region, smallimage_place[p].offset);
		fuzz_put32(region + 8, im->n[p]);
	}
	if (!(im->flags & SMALLIMAGE_KEEP_CHECKSUMS))
		fuzz_put32(region + 12, crc32c(0, part(im, p), im->n[p]));
}

/* The header's record of a dump's notes: their checksum. Then its own. */
static void fix_header(struct image *im)
{
	uint8_t *p = part(im, PART_HEADER);
	size_t n = im->n[PART_HEADER];

	for (size_t at = 16; n >= 24 && at + 8 <= n - 8;) {
		size_t record = fuzz_get32(p + at + 4);
		uint64_t offset = fuzz_get64(p + at + 8);
		uint32_t bytes = fuzz_get32(p + at + 16);

		if (record > n - 8 - at - 8)
			break;
		if (fuzz_get32(p + at) == 0x80000008 && record == 16 && bytes &&
		    offset < SMALLIMAGE_BYTES && bytes <= SMALLIMAGE_BYTES - offset)
			fuzz_put32(p + at + 20, crc32c(0, im->b + offset, bytes));
		at += 8 + (record + 7) / 8 * 8;
	}
	fuzz_fix_block(p, n);
}

static void fix_counts(uint8_t *slot, const struct counts *c)
{
	fuzz_put64(slot + SLOT_END, SMALLIMAGE_BYTES);
	fuzz_put64(slot + SLOT_DATA_PAGES, c->data);
	fuzz_put64(slot + SLOT_ZERO_PAGES, c->zero);
	fuzz_put64(slot + SLOT_FILL_PAGES, c->fill);
	fuzz_put64(slot + SLOT_RAW, c->data * PAGE_BYTES);
	fuzz_put64(slot + SLOT_STORED, c->stored);
}

/* From the inside out, since each checksum is under the next one. */
static void fix(struct image *im)
{
	uint8_t *slot = part(im, PART_SLOT);
	struct counts c = {0};

	fix_entries(im, &c);
	if (!(im->flags & SMALLIMAGE_KEEP_PLACES))
		fuzz_put32(part(im, PART_SEGMENT) + SEGMENT_BYTES, im->n[PART_SEGMENT]);
	fix_region(im, part(im, PART_DIRECTORY) + DIRECTORY_PLACE, PART_SEGMENT);
	if (!(im->flags & SMALLIMAGE_KEEP_CHECKSUMS))
		fix_header(im);
	fix_region(im, slot + SLOT_HEADER, PART_HEADER);
	fix_region(im, slot + SLOT_DIRECTORY, PART_DIRECTORY);
	if (!(im->flags & SMALLIMAGE_KEEP_COUNTS))
		fix_counts(slot, &c);
	fuzz_put32(slot + SLOT_CRC, crc32c(0, slot, SLOT_CRC));
	if (im->flags & SMALLIMAGE_IN_B) {
		memcpy(im->b + SMALLIMAGE_SLOT_B, slot, 4096);
		memset(slot, 0, 4096);
	}
}

/* A sink that keeps nothing: one block of memory for all. */
struct sink {
	uint8_t *block;
	const struct hostinfo *info;
};

static err_t sink_map(void *self, unsigned int thread, uint64_t first_pfn, uint8_t **pages)
{
	struct sink *s = self;

	(void)thread;
	fuzz_check(first_pfn % MEMORY_BLOCK_PAGES == 0);
	*pages = s->block;
	memset(s->block, 0x5c, MEMORY_BLOCK_PAGES * PAGE_BYTES);
	return NULL;
}

/* Is one byte the whole page? */
static bool is_all(const uint8_t *page, uint8_t byte)
{
	return page[0] == byte && !memcmp(page, page + 1, PAGE_BYTES - 1);
}

/* What is placed is the host's memory, and what is not is as it was. */
static err_t sink_unmap(void *self, unsigned int thread, uint64_t first_pfn, uint8_t *pages,
			const uint8_t *placed)
{
	struct sink *s = self;

	(void)thread;
	fuzz_check(pages == s->block);
	for (unsigned int i = 0; placed && i < MEMORY_BLOCK_PAGES; i++) {
		uint64_t start = (first_pfn + i) * PAGE_BYTES;
		const struct range *r = range_holding(&s->info->memory, start, start + PAGE_BYTES);

		fuzz_check(placed[i] <= PLACED_ZERO);
		if (placed[i] == PLACED_NONE) {
			fuzz_check(is_all(pages + i * PAGE_BYTES, 0x5c));
			continue;
		}
		fuzz_check(r && r->type == RANGE_RAM);
		fuzz_check(!range_overlaps(&s->info->windows, start, start + PAGE_BYTES));
		fuzz_check(placed[i] != PLACED_ZERO || is_all(pages + i * PAGE_BYTES, 0));
	}
	return NULL;
}

static void note_damage(void *arg, err_t e)
{
	fuzz_check(err_kind(e) == ERR_CORRUPT || err_kind(e) == ERR_UNSUPPORTED ||
		   err_kind(e) == ERR_IO || err_kind(e) == ERR_NOSPACE);
	*(bool *)arg = true;
}

static void read_notes(const struct target *t, const struct slot *slot, const struct hostinfo *info)
{
	struct vmcoreinfo v;
	uint8_t *notes;
	size_t n;

	if (!info->dump || !info->notes.length)
		return;
	if (!fuzz_fine(image_read_notes(t, slot, NULL, info, &notes, &n)))
		return;
	(void)fuzz_fine(elfdump_find_vmcoreinfo(notes, n, &v));
	free(notes);
}

static void read_chunks(const struct target *t, const struct slot *slot,
			const struct hostinfo *info, uint8_t flags, uint8_t *block)
{
	bool salvage = flags & SMALLIMAGE_SALVAGE, damage = false;
	bool sound = fuzz_fine(image_check_index(t, slot, NULL, info));
	struct image_reader_options o = {.threads = 1, .sync_io = true};
	struct sink self = {block, info};
	struct memory_sink sink = {&self, sink_map, sink_unmap};

	/* Filling free pages takes as long as a host has memory. */
	if ((!sound && !salvage) || range_bytes(&info->memory, RANGE_RAM) > 64 * MIB)
		return;
	if (salvage) {
		o.damaged = note_damage;
		o.damaged_arg = &damage;
		if (fuzz_fine(image_restore(t, slot, info, &sink, &o)))
			fuzz_check(sound || damage);
	} else if (flags & SMALLIMAGE_VERIFY) {
		(void)fuzz_fine(image_verify(t, slot, info, &o));
	} else {
		(void)fuzz_fine(image_restore(t, slot, info, &sink, &o));
	}
}

static void read_image(const struct target *t, uint8_t flags, uint8_t *block)
{
	struct hostinfo info;
	struct commit c;

	if (!fuzz_fine(commit_load(t, &c)) || c.slot.state != SLOT_VALID)
		return;
	if (!fuzz_fine(image_read_header(t, &c.slot, NULL, &info)))
		return;
	if (slot_is_sealed(&c.slot))
		(void)fuzz_fine(keyless_check(t, &c.slot));
	read_notes(t, &c.slot, &info);
	read_chunks(t, &c.slot, &info, flags, block);
}

/* One part is changed, each as often as the others, however long they are. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned int seed)
{
	static uint8_t b[MUTATE_MAX];
	unsigned int wanted = mutate_random(&seed, PARTS + 1);
	size_t at = SMALLIMAGE_HEAD, end = at;

	if (n && mutate_random(&seed, 16) == 0)
		data[0] ^= (uint8_t)(1u << mutate_random(&seed, 6)); /* a flag, too */

	if (n < SMALLIMAGE_HEAD || wanted == PARTS)
		return LLVMFuzzerMutate(data, n, max);
	for (unsigned int p = 0; p <= wanted; p++) {
		at = end;
		end = min_u64(n, at + (data[1 + 2 * p] | data[2 + 2 * p] << 8));
	}
	if (end == at || n > sizeof(b) / 2)
		return LLVMFuzzerMutate(data, n, max);
	memcpy(b, data + at, end - at);
	max = min_u64(max - n + (end - at), smallimage_place[wanted].room - 1);
	max = wanted == PART_HEADER ? mutate_block(b, end - at, max, &seed)
				    : LLVMFuzzerMutate(b, end - at, max);
	memmove(data + at + max, data + end, n - end);
	memcpy(data + at, b, max);
	data[1 + 2 * wanted] = (uint8_t)max;
	data[2 + 2 * wanted] = (uint8_t)(max >> 8);
	return n - (end - at) + max;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	static struct target t = {.fd = -1};
	static uint8_t *block;
	static struct image im;

	if (t.fd < 0) {
		char path[32];
		int fd = memfd_create("image", MFD_CLOEXEC);

		fuzz_check(fd >= 0 && !ftruncate(fd, SMALLIMAGE_BYTES));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		fuzz_check(fuzz_fine(target_open(&t, path, true, false)));
		block = aligned_alloc(PAGE_BYTES, MEMORY_BLOCK_PAGES * PAGE_BYTES);
		fuzz_check(block);
	}
	lay_out(&im, in, n);
	fix(&im);
	fuzz_check(pwrite(t.fd, im.b, sizeof(im.b), 0) == (ssize_t)sizeof(im.b));
	read_image(&t, im.flags, block);
	return 0;
}
