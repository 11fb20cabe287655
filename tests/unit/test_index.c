/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: next_pfn off by one block, run of 0 pages
 * accepted, sum of runs not held against the block, a fill word read behind the
 * end, data_pages not compared, bytes after the last entry accepted, stored size
 * of a chunk without data accepted.
 */
#include "unit.h"

#include "base/bytes.h"
#include "formats/index.h"

static const uint8_t nonce[INDEX_NONCE_BYTES] = "0123456789abcde";
static const uint8_t other[INDEX_NONCE_BYTES] = "0123456789abcdX";
static struct index_segment seg;

static struct chunk sample(uint64_t first_pfn)
{
	struct chunk c = {
		.first_pfn = first_pfn,
		.offset = 0x1234567,
		.stored = 4097,
		.crc32c = 0xdeadbeef,
		.codec = 1,
		.data_pages = 3,
		.run_count = 5,
		.runs = {{RUN_DATA, 2, 0},
			 {RUN_ZERO, 7, 0},
			 {RUN_FILL, 1, 0x1122334455667788},
			 {RUN_SKIP, 100, 0},
			 {RUN_DATA, 1, 0}},
	};

	return c;
}

static void assert_same(const struct chunk *a, const struct chunk *b)
{
	assert_int_equal(a->first_pfn, b->first_pfn);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->stored, b->stored);
	assert_int_equal(a->crc32c, b->crc32c);
	assert_int_equal(a->codec, b->codec);
	assert_int_equal(a->data_pages, b->data_pages);
	assert_int_equal(a->run_count, b->run_count);
	for (int i = 0; i < a->run_count; i++) {
		assert_int_equal(a->runs[i].kind, b->runs[i].kind);
		assert_int_equal(a->runs[i].pages, b->runs[i].pages);
		assert_int_equal(a->runs[i].word, b->runs[i].word);
	}
}

/* Walk a segment from a copy of exactly n bytes; *entries: how many were good. */
static err_t walk(const uint8_t *buf, size_t n, uint64_t next_pfn, uint32_t *entries)
{
	uint8_t *copy = unit_copy(buf, n);
	struct index_cursor cur;
	err_t e = index_cursor_init(&cur, copy, n, nonce, 9, next_pfn, false);
	bool more = !e;

	*entries = 0;
	while (more) {
		uint32_t pages = 0, data_pages = 0;
		uint64_t least = cur.next_pfn;
		struct chunk c;

		e = index_cursor_next(&cur, &c, &more);
		if (e || !more)
			break;
		++*entries;

		/* What the contract promises of every chunk. */
		assert_true(c.first_pfn >= least && c.first_pfn % CHUNK_PAGES == 0);
		assert_true(c.first_pfn < 1ull << 40);
		assert_true(cur.next_pfn == c.first_pfn + CHUNK_PAGES);
		assert_true(c.run_count >= 1 && c.run_count <= CHUNK_PAGES);
		for (int i = 0; i < c.run_count; i++) {
			assert_true(c.runs[i].pages >= 1);
			pages += c.runs[i].pages;
			if (c.runs[i].kind == RUN_DATA)
				data_pages += c.runs[i].pages;
		}
		assert_true(pages <= CHUNK_PAGES && data_pages == c.data_pages);
		assert_true((c.stored > 0) == (data_pages > 0) && c.stored <= data_pages * 4096);
		assert_true(c.offset + c.stored >= c.offset);
	}
	free(copy);
	return e;
}

static size_t build(const struct chunk *chunks, int count)
{
	memset(&seg, 0xee, sizeof(seg));
	index_segment_init(&seg, nonce, 9, false);
	for (int i = 0; i < count; i++)
		assert_true(index_segment_add(&seg, &chunks[i]));
	return index_segment_finish(&seg);
}

static void round_trip(void **state)
{
	struct chunk in[3] = {sample(0), sample(128), sample(0xffffffff80)};
	struct index_cursor cur;
	struct chunk c, before;
	bool more;
	size_t n;

	(void)state;
	in[1].run_count = 1; /* nothing stored */
	in[1].runs[0] = (struct run){RUN_ZERO, 128, 0};
	in[1].offset = in[1].stored = in[1].crc32c = in[1].data_pages = 0;
	in[1].codec = 0;
	in[2].stored = 3 * 4096; /* does not shrink */
	n = build(in, 3);
	assert_ok(index_cursor_init(&cur, seg.buf, n, nonce, 9, 0, false));
	for (int i = 0; i < 3; i++) {
		assert_ok(index_cursor_next(&cur, &c, &more));
		assert_true(more);
		assert_same(&c, &in[i]);
	}
	before = c;
	assert_ok(index_cursor_next(&cur, &c, &more));
	assert_false(more);
	assert_same(&c, &before);
	assert_int_equal(cur.next_pfn, 1ull << 40);
}

/* The bytes of docs/image-format.md. */
static void golden_bytes(void **state)
{
	static const uint8_t golden[] = {
		'D',  'O',  'R',  'M',	'-',  'I',  'D',  'X', /* 0 magic */
		'0',  '1',  '2',  '3',	'4',  '5',  '6',  '7', /* 8 nonce */
		'8',  '9',  'a',  'b',	'c',  'd',  'e',  0,
		9,    0,    0,	  0,	1,    0,    0,	  0,	/* 24 number, entries */
		90,   0,    0,	  0,	32,   0,    0,	  0,	/* 32 bytes, entry_bytes */
		0x80, 0,    0,	  0,	0,    0,    0,	  0,	/* 40 first_pfn */
		0x67, 0x45, 0x23, 0x01, 0,    0,    0,	  0,	/* 48 offset */
		0x01, 0x10, 0,	  0,	0xef, 0xbe, 0xad, 0xde, /* 56 stored, crc32c */
		1,    0,    3,	  0,	5,    0,    0,	  0, /* 64 codec, data_pages, run_count */
		0x02, 0x40,				     /* 72 DATA 2 */
		0x07, 0x80,				     /* ZERO 7 */
		0x01, 0xc0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, /* FILL 1, word */
		0x22, 0x11, 0x64, 0x00,				/* SKIP 100 */
		0x01, 0x40,					/* DATA 1 */
	};
	struct chunk c = sample(128);

	(void)state;
	assert_int_equal(build(&c, 1), sizeof(golden));
	assert_memory_equal(seg.buf, golden, sizeof(golden));
}

/* The most runs there can be, all of the largest kind; a full segment. */
static void limits(void **state)
{
	struct chunk c = sample(0);
	uint32_t entries, added = 0;

	(void)state;
	c.run_count = CHUNK_PAGES;
	c.data_pages = c.offset = c.stored = c.crc32c = c.codec = 0;
	for (unsigned int i = 0; i < CHUNK_PAGES; i++)
		c.runs[i] = (struct run){RUN_FILL, 1, i};
	index_segment_init(&seg, nonce, 9, false);
	while (index_segment_add(&seg, &c)) {
		added++;
		c.first_pfn += CHUNK_PAGES;
	}
	assert_int_equal(added, (65536 - 40) / (32 + 1280));
	assert_ok(walk(seg.buf, index_segment_finish(&seg), 0, &entries));
	assert_int_equal(entries, added);
}

/* A fuller segment: it takes what fits to the last byte. */
static void fills_to_the_last_byte(void **state)
{
	struct chunk c = sample(0);
	uint32_t entries;
	size_t n;

	(void)state;
	c.run_count = 1; /* 34 bytes each, 40 of header: 1926 leave 12 bytes */
	c.data_pages = 2;
	index_segment_init(&seg, nonce, 9, false);
	while (index_segment_add(&seg, &c))
		c.first_pfn += CHUNK_PAGES;
	assert_int_equal(seg.entries, 1926);
	n = index_segment_finish(&seg);
	assert_true(n <= INDEX_SEGMENT_MAX && n > INDEX_SEGMENT_MAX - 34);
	assert_ok(walk(seg.buf, n, 0, &entries));
	assert_int_equal(entries, 1926);
}

static void every_truncation(void **state)
{
	struct chunk in[2] = {sample(0), sample(128)};
	size_t n = build(in, 2);
	uint32_t entries;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		le32_t bytes = le32_of((uint32_t)i);

		assert_err(walk(seg.buf, i, 0, &entries), ERR_CORRUPT);
		memcpy(seg.buf + 32, &bytes, 4); /* and with a length that fits */
		assert_err(walk(seg.buf, i, 0, &entries), ERR_CORRUPT);
		build(in, 2);
	}
	seg.buf[32]++; /* a byte too many */
	assert_err(walk(seg.buf, n + 1, 0, &entries), ERR_CORRUPT);
}

/* No checksum here (the directory has it): what is accepted keeps the contract,
 * which walk() asserts. */
static void every_bit_flip(void **state)
{
	struct chunk in[2] = {sample(0), sample(128)};
	size_t n = build(in, 2);
	uint32_t entries;

	(void)state;
	for (size_t bit = 0; bit < n * 8; bit++) {
		seg.buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (bit < 40 * 8) /* header */
			assert_err(walk(seg.buf, n, 0, &entries), ERR_CORRUPT);
		else
			err_free(walk(seg.buf, n, 0, &entries));
		seg.buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void random_bytes(void **state)
{
	struct chunk in[2] = {sample(0), sample(128)};
	size_t n = build(in, 2);
	uint64_t seed = 4711;
	uint32_t entries;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		build(in, 2);
		for (int k = 0; k < 3; k++)
			seg.buf[40 + unit_random(&seed) % (n - 40)] = (uint8_t)unit_random(&seed);
		err_free(walk(seg.buf, n, 0, &entries));
	}
}

static void headers(void **state)
{
	struct chunk c = sample(256);
	size_t n = build(&c, 1);
	struct index_cursor cur;
	uint32_t entries;

	(void)state;
	assert_err(index_cursor_init(&cur, seg.buf, n, other, 9, 0, false), ERR_CORRUPT);
	assert_err(index_cursor_init(&cur, seg.buf, n, nonce, 8, 0, false), ERR_CORRUPT);
	assert_err(index_cursor_init(&cur, seg.buf, 0, nonce, 9, 0, false), ERR_CORRUPT);
	assert_ok(walk(seg.buf, n, 256, &entries));
	assert_err(walk(seg.buf, n, 257, &entries), ERR_CORRUPT); /* of the segment before */
	assert_err(walk(seg.buf, n, 384, &entries), ERR_CORRUPT);
	seg.buf[28] = 2; /* one entry more than there is */
	assert_err(walk(seg.buf, n, 0, &entries), ERR_CORRUPT);
	assert_int_equal(entries, 1);
	seg.buf[28] = 0; /* one less */
	assert_err(walk(seg.buf, n, 0, &entries), ERR_CORRUPT);
	build(&c, 1);
	seg.buf[36] = 48; /* entries with a tag */
	assert_err(walk(seg.buf, n, 0, &entries), ERR_CORRUPT);
	build(&c, 0);
	assert_ok(walk(seg.buf, 40, 0, &entries));
}

static void order(void **state)
{
	struct chunk in[2] = {sample(128), sample(128)};
	uint32_t entries;

	(void)state;
	assert_err(walk(seg.buf, build(in, 2), 0, &entries), ERR_CORRUPT); /* twice */
	in[1].first_pfn = 0;
	assert_err(walk(seg.buf, build(in, 2), 0, &entries), ERR_CORRUPT);
	in[1].first_pfn = 1ull << 40; /* beyond 52 bits */
	assert_err(walk(seg.buf, build(in, 2), 0, &entries), ERR_CORRUPT);
	in[1].first_pfn = 256;
	assert_ok(walk(seg.buf, build(in, 2), 0, &entries));
	assert_int_equal(entries, 2);
}

/* Overwrite bytes of the only entry, at an offset from its start. */
static err_t walk_with(const struct chunk *c, size_t offset, uint64_t value, size_t bytes)
{
	le64_t v = le64_of(value);
	size_t n = build(c, 1);
	uint32_t entries;

	memcpy(seg.buf + 40 + offset, &v, bytes);
	return walk(seg.buf, n, 0, &entries);
}

static void entry_fields(void **state)
{
	struct chunk c = sample(128), zero = sample(128);

	(void)state;
	zero.run_count = 2;
	zero.runs[0] = (struct run){RUN_ZERO, 127, 0};
	zero.runs[1] = (struct run){RUN_SKIP, 1, 0};
	zero.offset = zero.stored = zero.crc32c = zero.codec = zero.data_pages = 0;

	assert_ok(walk_with(&c, 0, 128, 8));
	assert_err(walk_with(&c, 0, 129, 8), ERR_CORRUPT);
	assert_err(walk_with(&c, 0, 1ull << 40, 8), ERR_CORRUPT);
	assert_err(walk_with(&c, 0, UINT64_MAX - 127, 8), ERR_CORRUPT);
	assert_ok(walk_with(&c, 8, 16384, 8));
	assert_err(walk_with(&c, 8, 16383, 8), ERR_CORRUPT);
	assert_err(walk_with(&c, 8, UINT64_MAX, 8), ERR_CORRUPT);
	assert_ok(walk_with(&c, 16, 3 * 4096, 4));
	assert_err(walk_with(&c, 16, 3 * 4096 + 1, 4), ERR_CORRUPT);
	assert_err(walk_with(&c, 16, 0, 4), ERR_CORRUPT);
	assert_ok(walk_with(&c, 24, 0xff, 1));		  /* codec: not for us to judge */
	assert_err(walk_with(&c, 25, 1, 1), ERR_CORRUPT); /* reserved */
	assert_err(walk_with(&c, 26, 2, 2), ERR_CORRUPT); /* data_pages */
	assert_err(walk_with(&c, 26, 4, 2), ERR_CORRUPT);
	assert_err(walk_with(&c, 28, 0, 2), ERR_CORRUPT); /* run_count */
	assert_err(walk_with(&c, 28, 4, 2), ERR_CORRUPT);
	assert_err(walk_with(&c, 28, 6, 2), ERR_CORRUPT);
	assert_err(walk_with(&c, 28, 129, 2), ERR_CORRUPT);
	assert_err(walk_with(&c, 28, 0xffff, 2), ERR_CORRUPT);
	assert_err(walk_with(&c, 30, 1, 2), ERR_CORRUPT);      /* reserved */
	assert_err(walk_with(&c, 34, 0x8000, 2), ERR_CORRUPT); /* a run of 0 pages */
	assert_ok(walk_with(&c, 34, 0x8000 | 24, 2));	       /* 128 pages in all */
	assert_err(walk_with(&c, 34, 0x8000 | 25, 2), ERR_CORRUPT);
	assert_err(walk_with(&c, 34, 0x8000 | 0x3fff, 2), ERR_CORRUPT);
	assert_err(walk_with(&c, 48, 0xc001, 2), ERR_CORRUPT); /* word behind the end */

	assert_ok(walk_with(&zero, 0, 128, 8));
	assert_err(walk_with(&zero, 8, 16384, 8), ERR_CORRUPT);
	assert_err(walk_with(&zero, 16, 1, 4), ERR_CORRUPT);
	assert_err(walk_with(&zero, 20, 1, 4), ERR_CORRUPT);
	assert_err(walk_with(&zero, 24, 1, 1), ERR_CORRUPT);
	assert_err(walk_with(&zero, 32, 0x4000 | 127, 2), ERR_CORRUPT); /* data, none stored */
}

/* In a sealed image each entry has its tag between its fixed part and its runs. */
static void sealed(void **state)
{
	struct chunk in[2] = {sample(0), sample(128)}, c;
	struct index_cursor cur;
	bool more;
	size_t n;

	(void)state;
	memset(in[0].tag, 0x77, sizeof(in[0].tag));
	in[1].run_count = 1; /* nothing stored, so nothing to have a tag of */
	in[1].runs[0] = (struct run){RUN_ZERO, 128, 0};
	in[1].offset = in[1].stored = in[1].crc32c = in[1].data_pages = 0;
	in[1].codec = 0;
	memset(&seg, 0xee, sizeof(seg));
	index_segment_init(&seg, nonce, 9, true);
	assert_true(index_segment_add(&seg, &in[0]));
	assert_true(index_segment_add(&seg, &in[1]));
	n = index_segment_finish(&seg);
	assert_int_equal(seg.buf[36], 48);
	for (size_t i = 0; i < INDEX_TAG_BYTES; i++)
		assert_int_equal(seg.buf[40 + 32 + i], 0x77);
	assert_ok(index_cursor_init(&cur, seg.buf, n, nonce, 9, 0, true));
	for (int i = 0; i < 2; i++) {
		assert_ok(index_cursor_next(&cur, &c, &more));
		assert_true(more);
		assert_same(&c, &in[i]);
		assert_memory_equal(c.tag, in[i].tag, sizeof(c.tag));
	}
	assert_ok(index_cursor_next(&cur, &c, &more));
	assert_false(more);
	/* Neither kind is taken for the other. */
	assert_err(index_cursor_init(&cur, seg.buf, n, nonce, 9, 0, false), ERR_CORRUPT);
	for (size_t cut = 40; cut < n; cut++) { /* every truncation */
		uint8_t *copy = unit_copy(seg.buf, cut);
		le32_t bytes = le32_of((uint32_t)cut);
		err_t e;

		memcpy(copy + 32, &bytes, sizeof(bytes));
		assert_ok(index_cursor_init(&cur, copy, cut, nonce, 9, 0, true));
		do
			e = index_cursor_next(&cur, &c, &more);
		while (!e && more);
		assert_err(e, ERR_CORRUPT);
		free(copy);
	}
	/* A tag of nothing. */
	seg.buf[n - 3] = 1;
	assert_ok(index_cursor_init(&cur, seg.buf, n, nonce, 9, 0, true));
	assert_ok(index_cursor_next(&cur, &c, &more));
	assert_err(index_cursor_next(&cur, &c, &more), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(golden_bytes),
		cmocka_unit_test(limits),
		cmocka_unit_test(fills_to_the_last_byte),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(every_bit_flip),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(headers),
		cmocka_unit_test(order),
		cmocka_unit_test(entry_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
