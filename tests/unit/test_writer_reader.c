/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole pipeline: memory -> image -> memory, and images that are damaged.
 *
 * The faults that were planted, and made it fail, are listed at each test. Not
 * found by it: a wake-up left out in readahead_put (only slower, by a tick).
 */
#include "unit.h"

#include "base/crc32c.h"
#include "fakemem.h"
#include "image/indexscan.h"
#include "image/reader.h"
#include "image/writer.h"
#include "tempfile.h"

static const uint8_t nonce[NONCE_BYTES] = "nonce of a test";

/* How an image is written and read. */
struct how {
	const char *codec;
	unsigned int threads;
	bool sync;
	bool scattered; /* target of extents out of order */
};

static const struct how usual = {"lzo", 2, false, false};

/* Source, target, image, and the host it says it is of. */
struct machine {
	struct fakemem mem;
	struct hostinfo host;
	struct tempfile file;
	struct target t;
	struct slot slot;
};

static bool stop_after(void *arg)
{
	int *ticks = arg;

	return ticks && --*ticks < 0;
}

/* An error when the count that arg points to is used up; arg NULL: never. */
static err_t tick(void *arg, const struct image_progress *p)
{
	assert_true(p->done_pages <= p->total_pages);
	return stop_after(arg) ? err_new(ERR_ABORTED, "key pressed") : NULL;
}

/* Extents over the file: odd sizes, out of order, a gap at the beginning. */
static uint32_t scatter(struct extent *e, uint64_t bytes)
{
	static const unsigned int sizes[] = {5, 1, 300, 2, 97, 1, 1, 256, 33};
	uint64_t at = 2 * PAGE_BYTES;
	uint32_t n = 0;

	while (n < 200 && at < bytes) {
		uint64_t length = min_u64(sizes[n % ARRAY_LEN(sizes)] * PAGE_BYTES, bytes - at);

		e[n++] = (struct extent){at, length};
		at += length;
	}
	for (uint32_t i = 0; i + 7 < n; i += 2) {
		struct extent swap = e[i];

		e[i] = e[i + 7];
		e[i + 7] = swap;
	}
	return n;
}

static void open_target(struct machine *m, uint64_t bytes, bool scattered)
{
	struct extent extents[200];

	tempfile_open(&m->file, bytes);
	if (scattered)
		assert_ok(target_open_extents(&m->t, m->file.path, true, extents,
					      scatter(extents, bytes)));
	else
		assert_ok(target_open(&m->t, m->file.path, true, false));
}

static void machine_deinit(struct machine *m)
{
	target_close(&m->t);
	tempfile_close(&m->file);
	fake_deinit(&m->mem);
}

static struct codec_choice choice(const char *text)
{
	struct codec_choice c;

	assert_ok(codec_choice_parse(text, &c));
	return c;
}

/* Write an image of m->mem; ticks: see tick. */
static err_t write_image(struct machine *m, const struct how *how, int *ticks)
{
	struct image_writer_options o = {
		.threads = how->threads,
		.codec = choice(how->codec),
		.sync_io = how->sync,
		.tick = tick,
		.tick_arg = ticks,
	};
	uint8_t *header = malloc(HOSTINFO_MAX);
	struct memory_source source = fake_source(&m->mem);
	struct image_writer *w;
	err_t e;

	memcpy(o.nonce, nonce, sizeof(nonce));
	memset(&m->slot, 0, sizeof(m->slot));
	memcpy(m->slot.nonce, nonce, sizeof(nonce));
	assert_ok(image_writer_create(&o, &m->t, &w));
	e = image_writer_run(w, &source, header, hostinfo_encode(&m->host, header), &m->slot);
	image_writer_destroy(w);
	free(header);
	return e;
}

static err_t restore(struct machine *m, struct fakemem *to, const struct how *how, int *ticks)
{
	struct image_reader_options o = {how->threads, how->sync, tick, ticks};
	struct memory_sink sink = fake_sink(to);

	return image_restore(&m->t, &m->slot, &m->host, &sink, &o);
}

static err_t verify(struct machine *m)
{
	struct image_reader_options o = {2, false, NULL, NULL};

	return image_verify(&m->t, &m->slot, &m->host, &o);
}

/* Memory of the same shape with nothing in it but the guard. */
static struct fakemem empty_like(const struct fakemem *from)
{
	struct fakemem to;

	fake_init(&to, from->blocks, 0);
	memcpy(to.first_pfn, from->first_pfn, sizeof(to.first_pfn));
	memset(to.mem, FAKE_GUARD, to.blocks * FAKE_BLOCK);
	return to;
}

static bool page_is(const uint8_t *page, uint8_t byte)
{
	for (size_t i = 0; i < PAGE_BYTES; i++)
		if (page[i] != byte)
			return false;
	return true;
}

/* Every page of to is what it has to be after a restore of from. */
static void assert_restored(const struct fakemem *from, const struct fakemem *to,
			    enum free_fill fill)
{
	for (uint64_t i = 0; i < from->blocks * CHUNK_PAGES; i++) {
		const uint8_t *a = from->mem + i * PAGE_BYTES, *b = to->mem + i * PAGE_BYTES;
		uint64_t pfn = from->first_pfn[i / CHUNK_PAGES] + i % CHUNK_PAGES;
		bool filled = from->kind[i] == FAKE_RAM && pfn &&
			      (fill == FREE_FILL_ZERO || fill == FREE_FILL_POISON);
		uint8_t want = !filled ? FAKE_GUARD : fill == FREE_FILL_ZERO ? 0 : 0xaa;

		if (from->classes[i] == PAGE_SAVE ? memcmp(a, b, PAGE_BYTES) != 0
						  : !page_is(b, want))
			fail_msg("page %llu (pfn %#llx) is wrong", (unsigned long long)i,
				 (unsigned long long)pfn);
	}
}

static void assert_untouched(const struct fakemem *to)
{
	for (uint64_t i = 0; i < to->blocks * CHUNK_PAGES; i++)
		assert_true(page_is(to->mem + i * PAGE_BYTES, FAKE_GUARD));
}

/* Which pages are saved; the others are free. */
enum pattern { ALL, NONE, EVERY_SECOND, RUNS, LAST_ONLY, SPARSE_BLOCKS, PATTERNS };

static void classify(struct fakemem *f, enum pattern pattern)
{
	uint64_t seed = 4711;

	for (uint64_t i = 0; i < f->blocks * CHUNK_PAGES; i++) {
		uint64_t in_block = i % CHUNK_PAGES, block = i / CHUNK_PAGES;
		bool save = pattern == ALL || (pattern == EVERY_SECOND && i % 2) ||
			    (pattern == RUNS && fake_random(&seed) % 16 > 3) ||
			    (pattern == LAST_ONLY && in_block == CHUNK_PAGES - 1) ||
			    (pattern == SPARSE_BLOCKS && block % 5 == 2);

		f->classes[i] = save && f->kind[i] == FAKE_RAM ? PAGE_SAVE : PAGE_SKIP;
	}
}

/* There and back. Leaves the machine with its image. */
static void round_trip(struct machine *m, const struct how *how)
{
	struct fakemem to = empty_like(&m->mem);
	struct hostinfo host;

	assert_ok(write_image(m, how, NULL));
	assert_true(m->slot.image_end <= m->t.bytes && m->slot.image_end % PAGE_BYTES == 0);
	assert_int_equal(m->slot.header.offset, SLOT_DATA_START);
	assert_int_equal(m->slot.raw_bytes, m->slot.data_pages * PAGE_BYTES);
	assert_ok(image_read_header(&m->t, &m->slot, &host));
	assert_memory_equal(&host, &m->host, sizeof(host));
	assert_ok(verify(m));
	assert_ok(restore(m, &to, how, NULL));
	assert_restored(&m->mem, &to, m->host.free_fill);
	fake_deinit(&to);
}

static void machine_init(struct machine *m, uint64_t blocks, enum fake_content content,
			 enum pattern pattern, bool scattered)
{
	fake_init(&m->mem, blocks, 0x12300);
	fake_fill(&m->mem, content, blocks + content);
	classify(&m->mem, pattern);
	m->host = fake_host(&m->mem, FREE_FILL_NONE);
	open_target(m, blocks * FAKE_BLOCK + 4 * MIB, scattered);
}

/*
 * Planted: fill words of two runs not compared; a page uniform but for a byte
 * taken for uniform; the last run dropped when it is no skip; data taken for one
 * piece when it is not; compressed size not compared; chunk emitted out of
 * order; a part of a request left out; the second unit's bytes wrong; extents
 * ignored by aio; a unit not awaited; a job's place given away before it is done.
 */
static void test_contents(void **state)
{
	struct machine m;

	(void)state;
	for (enum fake_content c = 0; c < FAKE_CONTENTS; c++)
		for (enum pattern p = 0; p < PATTERNS; p++) {
			struct how how = {c % 2 ? "none" : "lzo", 1 + (c + p) % 4, p % 3 == 2,
					  c % 3 == 1};

			machine_init(&m, 11, c, p, how.scattered);
			round_trip(&m, &how);
			machine_deinit(&m);
		}
}

static void test_ways(void **state)
{
	static const unsigned int threads[] = {1, 2, 4, 16};
	static const char *const codecs[] = {"none", "lzo", "lz4", "zstd", "zstd:5", "auto"};
	struct machine m;

	(void)state;
	for (size_t t = 0; t < ARRAY_LEN(threads); t++)
		for (unsigned int i = 0; i < 24; i++) {
			struct how how = {codecs[i / 4], threads[t], i & 1, i & 2};

			machine_init(&m, 17, FAKE_MIXED, RUNS, how.scattered);
			round_trip(&m, &how);
			machine_deinit(&m);
		}
}

/* Planted: zero pages noted as filled. */
static void test_counts(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, 4, FAKE_ZERO, ALL, false);
	memset(m.mem.mem + 10 * PAGE_BYTES, 'a', 5 * PAGE_BYTES); /* 5 fill pages */
	memcpy(m.mem.mem + 200 * PAGE_BYTES, "hello", 5);	  /* 1 data page */
	m.mem.mem[301 * PAGE_BYTES - 1] = 1;			  /* 1 more */
	m.mem.mem[400 * PAGE_BYTES + 8 * 17] = 1;		  /* 1 more */
	round_trip(&m, &usual);
	assert_int_equal(m.slot.data_pages, 3);
	assert_int_equal(m.slot.fill_pages, 5);
	assert_int_equal(m.slot.zero_pages, 4 * CHUNK_PAGES - 2 - 3 - 5);
	assert_true(m.slot.stored_bytes < 3 * PAGE_BYTES);
	machine_deinit(&m);
}

static void test_small_sources(void **state)
{
	struct machine m;

	(void)state;
	for (uint64_t blocks = 0; blocks <= 2; blocks++)
		for (enum pattern p = 0; p < PATTERNS; p++) {
			machine_init(&m, blocks, FAKE_RANDOM, p, false);
			round_trip(&m, &usual);
			if (!blocks || p == NONE)
				assert_int_equal(m.slot.data_pages, 0);
			machine_deinit(&m);
		}
}

/*
 * Holes between blocks, within blocks, windows, page 0, and every value of
 * free_fill: free pages are filled, nothing else is.
 * Planted: windows filled too; blocks after the last entry left out; page 0 filled;
 * blocks between entries left out; the end of a block left out.
 */
static void test_free_fill(void **state)
{
	struct machine m;

	(void)state;
	for (enum free_fill fill = FREE_FILL_NONE; fill <= FREE_FILL_SAVE; fill++)
		for (enum pattern p = 0; p < PATTERNS; p++) {
			machine_init(&m, 12, FAKE_MIXED, p, false);
			for (uint64_t i = 0; i < 12; i++)
				m.mem.first_pfn[i] = i * CHUNK_PAGES + (i > 3 ? 0x100000 : 0) +
						     (i > 8 ? 0x40000000 : 0);
			memset(m.mem.kind + 7 * CHUNK_PAGES + 20, FAKE_WINDOW, CHUNK_PAGES);
			memset(m.mem.kind + 5 * CHUNK_PAGES + 100, FAKE_HOLE, 10);
			memset(m.mem.kind + 10 * CHUNK_PAGES, FAKE_HOLE, 1);
			classify(&m.mem, p);
			m.mem.classes[0] = PAGE_SKIP;
			m.host = fake_host(&m.mem, fill);
			round_trip(&m, &usual);
			machine_deinit(&m);
		}
}

/* The worst index: each second page free, all others of one word each. Several
 * segments, which share the stream with data. Planted: segment not aligned. */
static void test_many_segments(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, 600, FAKE_WORDS, EVERY_SECOND, true);
	for (uint64_t i = 0; i < m.mem.blocks; i++) /* one data page in each block */
		m.mem.mem[i * FAKE_BLOCK + 77 * PAGE_BYTES + i] ^= 0xff;
	round_trip(&m, &usual);
	assert_true(m.slot.directory.length > 32 + 5 * 16);
	machine_deinit(&m);
}

/* One block takes so long that the others run as far ahead as they may.
 * Planted: a chunk's place in the ring given away before it is written out. */
static void test_straggler(void **state)
{
	struct how how = {"lzo", 4, false, false};
	struct machine m;

	(void)state;
	machine_init(&m, 700, FAKE_WORDS, SPARSE_BLOCKS, false);
	m.mem.delay_us = 200000;
	m.mem.slow_block = 2;
	round_trip(&m, &how);
	machine_deinit(&m);
}

/* A target of every size up to the one that is just enough. Planted: a buffer
 * overwritten while it is written; data taken for one piece when it is not. */
static void test_nospace(void **state)
{
	struct machine m;
	uint64_t need;

	(void)state;
	for (int sync = 0; sync < 2; sync++) {
		struct how how = {"lzo", 3, sync, false};

		machine_init(&m, 30, FAKE_RANDOM, ALL, false);
		round_trip(&m, &how);
		need = m.slot.image_end;
		for (uint64_t bytes = 0; bytes < need;
		     bytes += bytes < 64 * KIB ? 4096 : 1111 * 4096) {
			m.t.extents[0].length = m.t.bytes = bytes;
			assert_err(write_image(&m, &how, NULL), ERR_NOSPACE);
		}
		m.t.extents[0].length = m.t.bytes = need - 4096;
		assert_err(write_image(&m, &how, NULL), ERR_NOSPACE);
		m.t.extents[0].length = m.t.bytes = need;
		round_trip(&m, &how);
		assert_int_equal(m.slot.image_end, need);
		machine_deinit(&m);
	}
}

static void test_tick_aborts(void **state)
{
	struct machine m;
	struct fakemem to;

	(void)state;
	for (int sync = 0; sync < 2; sync++) {
		struct how how = {"lzo", 2, sync, false};
		int ticks = 1;

		machine_init(&m, 40, FAKE_MIXED, ALL, false);
		m.mem.delay_us = 20000;
		assert_err(write_image(&m, &how, &ticks), ERR_ABORTED);
		assert_int_equal(ticks, -1); /* and was not called again */
		m.mem.delay_us = 0;
		assert_ok(write_image(&m, &how, NULL));
		to = empty_like(&m.mem);
		to.delay_us = 20000;
		ticks = 1;
		assert_err(restore(&m, &to, &how, &ticks), ERR_ABORTED);
		assert_int_equal(ticks, -1);
		fake_deinit(&to);
		machine_deinit(&m);
	}
}

/* The first error wins, be it the source's, the sink's, or the device's.
 * Planted: a write's error dropped, by aio and by the writer; a unit in use
 * given to another. */
static void test_errors(void **state)
{
	struct machine m;
	struct fakemem to;
	struct target ro;

	(void)state;
	for (int sync = 0; sync < 2; sync++) {
		struct how how = {"none", 4, sync, false};

		machine_init(&m, 40, FAKE_RANDOM, ALL, false);
		m.mem.fail_block = 33;
		assert_err(write_image(&m, &how, NULL), ERR_IO);
		m.mem.fail_block = UINT64_MAX;
		assert_ok(target_open(&ro, m.file.path, false, false));
		m.t.fd = dup(m.t.fd);
		assert_int_equal(dup2(ro.fd, m.t.fd), m.t.fd);
		assert_err(write_image(&m, &how, NULL), ERR_IO); /* EBADF */
		target_close(&m.t);
		target_close(&ro);
		assert_ok(target_open(&m.t, m.file.path, true, false));
		assert_ok(write_image(&m, &how, NULL));
		to = empty_like(&m.mem);
		to.fail_block = 12;
		assert_err(restore(&m, &to, &how, NULL), ERR_IO);
		fake_deinit(&to);
		machine_deinit(&m);
	}
}

/* The part of the target that holds the middle of the data is gone. Planted: a
 * unit that could not be read taken for good. */
static void test_read_error(void **state)
{
	struct machine m;
	struct fakemem to;
	err_t e;

	(void)state;
	for (int sync = 0; sync < 2; sync++) {
		struct how how = {"none", 2, sync, false};
		machine_init(&m, 40, FAKE_RANDOM, ALL, false);
		assert_ok(write_image(&m, &how, NULL));
		/* What was at 3 to 4 MiB is now looked for past the end of the file. */
		m.t.extents[0] = (struct extent){0, 3 * MIB};
		m.t.extents[1] = (struct extent){m.t.bytes + 64 * MIB, MIB};
		m.t.extents[2] = (struct extent){4 * MIB, m.t.bytes - 4 * MIB};
		m.t.extent_count = 3;
		to = empty_like(&m.mem);
		e = restore(&m, &to, &how, NULL);
		assert_non_null(e);
		assert_int_equal(err_kind(e), ERR_IO);
		assert_non_null(strstr(err_text(e), "chunk at 0x"));
		err_free(e);
		fake_deinit(&to);
		machine_deinit(&m);
	}
}

/* All chunks of an image. */
static size_t list_chunks(struct machine *m, struct chunk *out, size_t max)
{
	struct indexscan scan;
	size_t n = 0;
	bool more;

	assert_ok(indexscan_init(&scan, &m->t, &m->slot, &m->host));
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
			assert_ok(image_check_index(&m.t, &m.slot, &m.host));
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

	assert_ok(indexscan_init(&scan, &m->t, &m->slot, &m->host));
	assert_ok(directory_place(scan.directory, 0, m->slot.image_end, &place));
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
		assert_err(image_check_index(&m.t, &m.slot, &m.host), ERR_CORRUPT);
		if (i % 16 == 0)
			assert_err(restore(&m, &to, &usual, NULL), ERR_CORRUPT);
		tempfile_flip(&m.file, at, (uint8_t)(1u << i % 8));
	}
	assert_untouched(&to);
	for (unsigned int i = 0; i < m.slot.header.length; i++) {
		tempfile_flip(&m.file, m.slot.header.offset + i, 1);
		assert_err(image_read_header(&m.t, &m.slot, &host), ERR_CORRUPT);
		tempfile_flip(&m.file, m.slot.header.offset + i, 1);
	}
	assert_ok(verify(&m));
	fake_deinit(&to);
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
		assert_err(image_check_index(&m.t, &m.slot, &m.host), ERR_CORRUPT);                \
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
	assert_err(image_read_header(&m.t, &m.slot, &host), ERR_CORRUPT);
	m.slot.header = (struct slot_region){0};
	assert_err(image_read_header(&m.t, &m.slot, &host), ERR_CORRUPT);
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
	index_segment_init(seg, nonce, 0);
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
	directory_encode(&place, 1, nonce, directory);
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
		assert_err(image_check_index(&m.t, &m.slot, &m.host), kind);                       \
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
	assert_ok(image_check_index(&m.t, &m.slot, &m.host));
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

static void test_options(void **state)
{
	struct image_writer_options o = {.threads = 0, .codec = choice("lzo")};
	struct how none = {"lzo", 0, false, false};
	struct image_writer *w;
	struct machine m;

	(void)state;
	machine_init(&m, 1, FAKE_TEXT, ALL, false);
	assert_err(image_writer_create(&o, &m.t, &w), ERR_INVALID);
	o.threads = 65;
	assert_err(image_writer_create(&o, &m.t, &w), ERR_INVALID);
	assert_err(restore(&m, &m.mem, &none, NULL), ERR_INVALID);
	image_writer_destroy(NULL);
	machine_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),      cmocka_unit_test(test_ways),
		cmocka_unit_test(test_counts),	      cmocka_unit_test(test_small_sources),
		cmocka_unit_test(test_free_fill),     cmocka_unit_test(test_many_segments),
		cmocka_unit_test(test_straggler),     cmocka_unit_test(test_nospace),
		cmocka_unit_test(test_tick_aborts),   cmocka_unit_test(test_errors),
		cmocka_unit_test(test_read_error),    cmocka_unit_test(test_damaged_data),
		cmocka_unit_test(test_damaged_index), cmocka_unit_test(test_bad_slot),
		cmocka_unit_test(test_forged_index),  cmocka_unit_test(test_forged_chunk),
		cmocka_unit_test(test_disorder),      cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
