/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A whole image, read as resume and the tools do: superblock, header, index, all
 * chunks, with one thread and without io_uring. The input is smallimage.h's.
 * Planted and found in 10 s: FAULTS
 */
#include "fuzz.h"
#include "recycle.h"
#include "smallimage.h"

#include "base/util.h"
#include "elf/dump.h"
#include "image/commit.h"
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
static err_t sink_map(void *self, unsigned int thread, uint64_t first_pfn, uint8_t **pages)
{
	(void)thread;
	fuzz_check(first_pfn % MEMORY_BLOCK_PAGES == 0);
	*pages = self;
	memset(self, 0x5c, MEMORY_BLOCK_PAGES * PAGE_BYTES);
	return NULL;
}

static err_t sink_unmap(void *self, unsigned int thread, uint64_t first_pfn, uint8_t *pages,
			const uint8_t *placed)
{
	(void)thread;
	(void)first_pfn;
	fuzz_check(pages == self);
	for (unsigned int i = 0; placed && i < MEMORY_BLOCK_PAGES; i++) {
		const uint8_t *page = pages + i * PAGE_BYTES;

		fuzz_check(placed[i] <= PLACED_ZERO);
		if (placed[i] == PLACED_ZERO)
			fuzz_check(!page[0] && !memcmp(page, page + 1, PAGE_BYTES - 1));
		if (placed[i] == PLACED_NONE)
			fuzz_check(page[0] == 0x5c && !memcmp(page, page + 1, PAGE_BYTES - 1));
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

	if (!info->dump || !info->notes.length)
		return;
	if (!fuzz_fine(image_read_notes(t, slot, info, &notes)))
		return;
	(void)fuzz_fine(elfdump_find_vmcoreinfo(notes, info->notes.length, &v));
	free(notes);
}

static void read_chunks(const struct target *t, const struct slot *slot,
			const struct hostinfo *info, uint8_t flags, uint8_t *block)
{
	bool salvage = flags & SMALLIMAGE_SALVAGE, damage = false;
	bool sound = fuzz_fine(image_check_index(t, slot, info));
	struct image_reader_options o = {.threads = 1, .sync_io = true};
	struct memory_sink sink = {block, sink_map, sink_unmap};

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
	if (!fuzz_fine(image_read_header(t, &c.slot, &info)))
		return;
	read_notes(t, &c.slot, &info);
	read_chunks(t, &c.slot, &info, flags, block);
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
