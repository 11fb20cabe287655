/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images that are damaged, or that no correct writer made. The faults that were
 * planted, and made it fail, are listed at each test. */
#include "testmachine.h"

#include "base/crc32c.h"
#include "image/indexscan.h"

/* All chunks of an image. */
static size_t list_chunks(struct machine *m, struct chunk *out, size_t max)
{
	struct indexscan scan;
	size_t n = 0;
	bool more;

	assert_ok(indexscan_init(&scan, &m->t, &m->slot, NULL, &m->host));
	for (;;) {
		assert_true(n < max);
		assert_ok(indexscan_next(&scan, &out[n], &more));
		if (!more)
			break;
		n++;
	}
	indexscan_deinit(&scan);
	return n;
}

/*
 * A flipped bit in the data: the chunk is named, and nothing of it is placed.
 * Planted: checksum not checked; checked after decompression.
 */
static void test_damaged_data(void **state)
{
	static struct chunk chunks[64];
	struct machine m;
	size_t n;

	(void)state;
	machine_init(&m, 9, FAKE_MIXED, RUNS, false);
	assert_ok(write_image(&m, &usual, NULL));
	n = list_chunks(&m, chunks, 64);
	assert_int_equal(n, 9);
	for (size_t i = 0; i < n; i++)
		for (unsigned int where = 0; where < 3; where++) {
			uint64_t at =
				chunks[i].offset + (uint64_t)(chunks[i].stored - 1) * where / 2;
			struct fakemem to = empty_like(&m.mem);
			char name[64];
			err_t e;

			snprintf(name, sizeof(name), "chunk at %#llx-%#llx",
				 (unsigned long long)chunks[i].first_pfn * PAGE_BYTES,
				 (unsigned long long)chunks[i].first_pfn * PAGE_BYTES + FAKE_BLOCK -
					 1);
			tempfile_flip(&m.file, at, (uint8_t)(1u << i % 8));
			assert_ok(image_check_index(&m.t, &m.slot, NULL, &m.host));
			assert_err(verify(&m), ERR_CORRUPT);
			e = restore(&m, &to, &usual, NULL);
			assert_non_null(e);
			assert_int_equal(err_kind(e), ERR_CORRUPT);
			assert_non_null(strstr(err_text(e), name));
			err_free(e);
			for (size_t p = 0; p < CHUNK_PAGES; p++)
				assert_true(page_is(to.mem + i * FAKE_BLOCK + p * PAGE_BYTES,
						    FAKE_GUARD));
			tempfile_flip(&m.file, at, (uint8_t)(1u << i % 8));
			fake_deinit(&to);
		}
	assert_ok(verify(&m));
	machine_deinit(&m);
}

static struct index_place first_segment(struct machine *m)
{
	struct index_place place;
	struct indexscan scan;

	assert_ok(indexscan_init(&scan, &m->t, &m->slot, NULL, &m->host));
	assert_ok(directory_place(scan.directory, 0, false, m->slot.image_end, &place));
	indexscan_deinit(&scan);
	return place;
}

/* A flipped bit anywhere in index, directory or header: refused, and no page is
 * placed. Planted: segment's, directory's, header's checksum not checked;
 * chunks placed before the index is checked. */
static void test_damaged_index(void **state)
{
	struct index_place segment;
	struct fakemem to;
	struct hostinfo host;
	struct machine m;

	(void)state;
	machine_init(&m, 9, FAKE_MIXED, RUNS, false);
	assert_ok(write_image(&m, &usual, NULL));
	to = empty_like(&m.mem);
	segment = first_segment(&m);
	for (unsigned int i = 0; i < 700; i++) {
		bool in_directory = i % 8 == 7;
		uint64_t at = in_directory
				      ? m.slot.directory.offset + i / 8 % m.slot.directory.length
				      : segment.offset + i * 37 % segment.length;

		tempfile_flip(&m.file, at, (uint8_t)(1u << i % 8));
		assert_err(image_check_index(&m.t, &m.slot, NULL, &m.host), ERR_CORRUPT);
		if (i % 16 == 0)
			assert_err(restore(&m, &to, &usual, NULL), ERR_CORRUPT);
		tempfile_flip(&m.file, at, (uint8_t)(1u << i % 8));
	}
	assert_untouched(&to);
	for (unsigned int i = 0; i < m.slot.header.length; i++) {
		tempfile_flip(&m.file, m.slot.header.offset + i, 1);
		assert_err(image_read_header(&m.t, &m.slot, NULL, &host), ERR_CORRUPT);
		tempfile_flip(&m.file, m.slot.header.offset + i, 1);
	}
	assert_ok(verify(&m));
	fake_deinit(&to);
	machine_deinit(&m);
}

/* Put a header into the image, and the checksum of its region right. */
static void forge_header(struct machine *m, const struct hostinfo *host, const char *magic)
{
	uint8_t buf[HOSTINFO_MAX];
	size_t n = hostinfo_encode(host, buf);

	if (magic)
		memcpy(buf, magic, 8);
	m->slot.header.length = (uint32_t)n;
	m->slot.header.crc32c = crc32c(0, buf, n);
	assert_int_equal(pwrite(m->file.fd, buf, n, (off_t)m->slot.header.offset), n);
}

/* Whole, and made by no correct writer. Planted: kind of hostinfo_decode's error
 * handed on; jump-back entry not looked at. */
static void test_forged_header(void **state)
{
	struct hostinfo host, made;
	struct machine m;

	(void)state;
	machine_init(&m, 3, FAKE_TEXT, ALL, false);
	assert_ok(write_image(&m, &usual, NULL));
	made = m.host;
	forge_header(&m, &made, NULL);
	assert_ok(image_read_header(&m.t, &m.slot, NULL, &host));
	forge_header(&m, &made, "DORM-OFF");
	assert_err(image_read_header(&m.t, &m.slot, NULL, &host), ERR_CORRUPT);
	made.jump_entry = 0;
	forge_header(&m, &made, NULL);
	assert_err(image_read_header(&m.t, &m.slot, NULL, &host), ERR_CORRUPT);
	machine_deinit(&m);
}

/* A superblock with a good checksum and bad numbers. Planted: image's end not
 * compared with the target's; counts not compared. */
static void test_bad_slot(void **state)
{
	struct machine m;
	struct slot good;
	struct hostinfo host;

	(void)state;
	machine_init(&m, 3, FAKE_TEXT, ALL, false);
	assert_ok(write_image(&m, &usual, NULL));
	good = m.slot;
#define BAD(change)                                                                                \
	do {                                                                                       \
		m.slot = good;                                                                     \
		change;                                                                            \
		assert_err(image_check_index(&m.t, &m.slot, NULL, &m.host), ERR_CORRUPT);          \
	} while (0)
	BAD(m.slot.directory.offset = 1);
	BAD(m.slot.directory.offset = 0);
	BAD(m.slot.directory.offset = UINT64_MAX - 4095);
	BAD(m.slot.directory.offset = m.slot.image_end);
	BAD(m.slot.directory.length = 0);
	BAD(m.slot.directory.length = UINT32_MAX);
	BAD(m.slot.directory.length = DIRECTORY_MAX + 1);
	BAD(m.slot.directory = m.slot.header);
	BAD(m.slot.directory.crc32c ^= 1);
	BAD(m.slot.image_end = m.t.bytes + 4096);
	BAD(m.slot.image_end = UINT64_MAX);
	BAD(m.slot.image_end = 0);
	BAD(m.slot.image_end = 16384 + 4096);
	BAD(m.slot.data_pages++);
	BAD(m.slot.zero_pages++);
	BAD(m.slot.fill_pages++);
	BAD(m.slot.raw_bytes++);
	BAD(m.slot.stored_bytes--);
	BAD(m.slot.nonce[3] ^= 1);
#undef BAD
	m.slot = good;
	m.slot.header.length = HOSTINFO_MAX + 1;
	assert_err(image_read_header(&m.t, &m.slot, NULL, &host), ERR_CORRUPT);
	m.slot.header = (struct slot_region){0};
	assert_err(image_read_header(&m.t, &m.slot, NULL, &host), ERR_CORRUPT);
	m.slot = good;
	m.slot.image_end = m.t.bytes + 4096;
	m.slot.header.offset = m.t.bytes; /* where nothing can be read */
	assert_err(image_read_header(&m.t, &m.slot, NULL, &host), ERR_CORRUPT);
	machine_deinit(&m);
}

/* A new index for the image, with good checksums, of the given chunks. */
static void forge_index(struct machine *m, const struct chunk *chunks, size_t count)
{
	struct index_segment *seg = calloc(1, sizeof(*seg));
	uint8_t *buf = target_buffer(INDEX_SEGMENT_MAX), directory[48];
	struct index_place place = {.offset = m->slot.directory.offset};
	struct slot *s = &m->slot;

	s->data_pages = s->zero_pages = s->fill_pages = s->stored_bytes = 0;
	index_segment_init(seg, nonce, 0, false);
	for (size_t i = 0; i < count; i++) {
		assert_true(index_segment_add(seg, &chunks[i]));
		s->stored_bytes += chunks[i].stored;
		for (size_t r = 0; r < chunks[i].run_count; r++) {
			s->data_pages +=
				chunks[i].runs[r].kind == RUN_DATA ? chunks[i].runs[r].pages : 0;
			s->zero_pages +=
				chunks[i].runs[r].kind == RUN_ZERO ? chunks[i].runs[r].pages : 0;
			s->fill_pages +=
				chunks[i].runs[r].kind == RUN_FILL ? chunks[i].runs[r].pages : 0;
		}
	}
	s->raw_bytes = s->data_pages * PAGE_BYTES;
	place.length = (uint32_t)index_segment_finish(seg);
	memset(buf, 0, INDEX_SEGMENT_MAX);
	memcpy(buf, seg->buf, place.length);
	place.crc32c = crc32c(0, buf, place.length);
	assert_ok(target_write(&m->t, buf, INDEX_SEGMENT_MAX, place.offset));
	directory_encode(&place, 1, nonce, false, directory);
	memset(buf, 0, INDEX_SEGMENT_MAX);
	memcpy(buf, directory, sizeof(directory));
	s->directory = (struct slot_region){place.offset + INDEX_SEGMENT_MAX, sizeof(directory),
					    crc32c(0, directory, sizeof(directory))};
	s->image_end = s->directory.offset + PAGE_BYTES;
	assert_ok(target_write(&m->t, buf, PAGE_BYTES, s->directory.offset));
	free(buf);
	free(seg);
}

/*
 * An index that is whole and lies: nothing is placed.
 * Planted: room not looked at; codec not looked at; end of the image not
 * looked at; stored size not compared with the codec.
 */
static void test_forged_index(void **state)
{
	static struct chunk good[8], bad[8];
	struct fakemem to;
	struct machine m;
	struct slot slot;
	size_t n;

	(void)state;
	machine_init(&m, 3, FAKE_TEXT, ALL, false);
	m.mem.first_pfn[2] += 0x1000; /* so that a block of no RAM is between */
	memset(m.mem.kind + 2 * CHUNK_PAGES + 120, FAKE_HOLE, 8);
	classify(&m.mem, ALL);
	m.host = fake_host(&m.mem, FREE_FILL_ZERO);
	assert_ok(write_image(&m, &usual, NULL));
	n = list_chunks(&m, good, 8);
	slot = m.slot;
	forge_index(&m, good, n);
	assert_ok(verify(&m));
	to = empty_like(&m.mem);
#define BAD(change, kind)                                                                          \
	do {                                                                                       \
		m.slot = slot;                                                                     \
		memcpy(bad, good, sizeof(bad));                                                    \
		change;                                                                            \
		forge_index(&m, bad, n);                                                           \
		assert_err(image_check_index(&m.t, &m.slot, NULL, &m.host), kind);                 \
		assert_err(restore(&m, &to, &usual, NULL), kind);                                  \
	} while (0)
	BAD(bad[2].first_pfn = good[1].first_pfn + CHUNK_PAGES, ERR_CORRUPT); /* no RAM */
	BAD(bad[2].first_pfn = 1ull << 39, ERR_CORRUPT);
	BAD(bad[0].runs[1] = ((struct run){RUN_ZERO, 1, 0}), ERR_CORRUPT); /* of the window */
	BAD(bad[2].runs[0].pages++, ERR_CORRUPT);			   /* past RAM's end */
	BAD(bad[1].offset = slot.image_end + MIB, ERR_CORRUPT);
	BAD(bad[1].codec = 200, ERR_UNSUPPORTED);
	BAD(bad[1].codec = CODEC_NONE, ERR_CORRUPT);
	BAD(bad[1].stored = bad[1].data_pages * PAGE_BYTES, ERR_CORRUPT);
	BAD(bad[2].first_pfn = good[1].first_pfn, ERR_CORRUPT); /* a block twice */
#undef BAD
	assert_untouched(&to);
	fake_deinit(&to);
	machine_deinit(&m);
}

/* A chunk whose checksum is right and which does not decompress. Planted: the
 * codec's error dropped. */
static void test_forged_chunk(void **state)
{
	static struct chunk chunks[8];
	uint8_t *block = target_buffer(2 * FAKE_BLOCK);
	struct machine m;
	size_t n;

	(void)state;
	machine_init(&m, 3, FAKE_TEXT, ALL, false);
	assert_ok(write_image(&m, &usual, NULL));
	n = list_chunks(&m, chunks, 8);
	memset(block, 0xff, 2 * FAKE_BLOCK);
	assert_ok(target_write(&m.t, block, FAKE_BLOCK, SLOT_DATA_START + PAGE_BYTES));
	for (size_t i = 0; i < n; i++)
		chunks[i].crc32c = crc32c(0, block, chunks[i].stored);
	forge_index(&m, chunks, n);
	assert_ok(image_check_index(&m.t, &m.slot, NULL, &m.host));
	assert_err(verify(&m), ERR_CORRUPT);
	free(block);
	machine_deinit(&m);
}

/* Chunks that lie in any order, far apart, and share bytes: a reader must cope. */
static void test_disorder(void **state)
{
	static struct chunk chunks[128], shuffled[128];
	struct fakemem to;
	struct machine m;
	uint64_t seed = 5;
	size_t n;

	(void)state;
	machine_init(&m, 60, FAKE_RANDOM, ALL, false);
	assert_ok(write_image(&m, &usual, NULL));
	n = list_chunks(&m, chunks, 128);
	memcpy(shuffled, chunks, sizeof(chunks));
	for (size_t i = 1; i < n; i++) { /* who gets whose data; block 0 has fewer pages */
		size_t j = 1 + fake_random(&seed) % (n - 1);

		shuffled[i].offset = chunks[j].offset;
		shuffled[i].crc32c = chunks[j].crc32c;
	}
	forge_index(&m, shuffled, n);
	for (int sync = 0; sync < 2; sync++) {
		struct how how = {"none", 4, sync, false};

		to = empty_like(&m.mem);
		assert_ok(restore(&m, &to, &how, NULL));
		for (size_t i = 1; i < n; i++) {
			size_t j = 1;

			while (chunks[j].offset != shuffled[i].offset)
				j++;
			assert_memory_equal(to.mem + i * FAKE_BLOCK, m.mem.mem + j * FAKE_BLOCK,
					    FAKE_BLOCK);
		}
		fake_deinit(&to);
	}
	machine_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_data),  cmocka_unit_test(test_damaged_index),
		cmocka_unit_test(test_forged_header), cmocka_unit_test(test_bad_slot),
		cmocka_unit_test(test_forged_index),  cmocka_unit_test(test_forged_chunk),
		cmocka_unit_test(test_disorder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
