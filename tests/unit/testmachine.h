/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine that images are made of and restored to, for the tests of lib/image. */
#ifndef TESTMACHINE_H
#define TESTMACHINE_H

#include "unit.h"

#include "fakemem.h"
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
	struct image_seal *seal; /* NULL: not sealed */
};

static inline bool stop_after(void *arg)
{
	int *ticks = arg;

	return ticks && --*ticks < 0;
}

/* An error when the count that arg points to is used up; arg NULL: never. */
static inline err_t tick(void *arg, const struct image_progress *p)
{
	assert_true(p->done_pages <= p->total_pages);
	return stop_after(arg) ? err_new(ERR_ABORTED, "key pressed") : NULL;
}

/* Extents over the file: odd sizes, out of order, a gap at the beginning. */
static inline uint32_t scatter(struct extent *e, uint64_t bytes)
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

static inline void open_target(struct machine *m, uint64_t bytes, bool scattered)
{
	struct extent extents[200];

	tempfile_open(&m->file, bytes);
	if (scattered)
		assert_ok(target_open_extents(&m->t, m->file.path, true, extents,
					      scatter(extents, bytes)));
	else
		assert_ok(target_open(&m->t, m->file.path, true, false));
}

/* What is at that place of the image is now looked for far behind the file's end. */
static inline void lose(struct machine *m, uint64_t at, uint64_t bytes)
{
	const struct extent parts[] = {
		{0, at}, {1ull << 60, bytes}, {at + bytes, m->t.bytes - at - bytes}};

	m->t.device_bytes = 1ull << 61;
	assert_ok(target_set_extents(&m->t, parts, ARRAY_LEN(parts)));
}

static inline void machine_deinit(struct machine *m)
{
	target_close(&m->t);
	tempfile_close(&m->file);
	fake_deinit(&m->mem);
}

static inline struct codec_choice choice(const char *text)
{
	struct codec_choice c;

	assert_ok(codec_choice_parse(text, &c));
	return c;
}

/* Write an image of m->mem; ticks: see tick. */
static inline err_t write_image(struct machine *m, const struct how *how, int *ticks)
{
	struct image_writer_options o = {
		.threads = how->threads,
		.codec = choice(how->codec),
		.sync_io = how->sync,
		.tick = tick,
		.tick_arg = ticks,
		.seal = m->seal,
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

static inline const struct image_keys *keys_of(const struct machine *m)
{
	return m->seal ? &m->seal->keys : NULL;
}

static inline err_t restore(struct machine *m, struct fakemem *to, const struct how *how,
			    int *ticks)
{
	struct image_reader_options o = {.threads = how->threads,
					 .sync_io = how->sync,
					 .tick = tick,
					 .tick_arg = ticks,
					 .keys = keys_of(m)};
	struct memory_sink sink = fake_sink(to);

	return image_restore(&m->t, &m->slot, &m->host, &sink, &o);
}

static inline err_t verify(struct machine *m)
{
	struct image_reader_options o = {.threads = 2, .keys = keys_of(m)};

	return image_verify(&m->t, &m->slot, &m->host, &o);
}

/* Memory of the same shape with nothing in it but the guard. */
static inline struct fakemem empty_like(const struct fakemem *from)
{
	struct fakemem to;

	fake_init(&to, from->blocks, 0);
	memcpy(to.first_pfn, from->first_pfn, sizeof(to.first_pfn));
	memset(to.mem, FAKE_GUARD, to.blocks * FAKE_BLOCK);
	return to;
}

static inline bool page_is(const uint8_t *page, uint8_t byte)
{
	for (size_t i = 0; i < PAGE_BYTES; i++)
		if (page[i] != byte)
			return false;
	return true;
}

/* Every page of to is what it has to be after a restore of from. */
static inline void assert_restored(const struct fakemem *from, const struct fakemem *to,
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

static inline void assert_untouched(const struct fakemem *to)
{
	for (uint64_t i = 0; i < to->blocks * CHUNK_PAGES; i++)
		assert_true(page_is(to->mem + i * PAGE_BYTES, FAKE_GUARD));
}

/* Which pages are saved; the others are free. */
enum pattern { ALL, NONE, EVERY_SECOND, RUNS, LAST_ONLY, SPARSE_BLOCKS, PATTERNS };

static inline void classify(struct fakemem *f, enum pattern pattern)
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
static inline void round_trip(struct machine *m, const struct how *how)
{
	struct fakemem to = empty_like(&m->mem);
	struct hostinfo host;

	assert_ok(write_image(m, how, NULL));
	assert_true(m->slot.image_end <= m->t.bytes && m->slot.image_end % PAGE_BYTES == 0);
	assert_int_equal(m->slot.header.offset, SLOT_DATA_START);
	assert_int_equal(m->slot.raw_bytes, m->slot.data_pages * PAGE_BYTES);
	assert_ok(image_read_header(&m->t, &m->slot, keys_of(m), &host));
	assert_memory_equal(&host, &m->host, sizeof(host));
	assert_ok(verify(m));
	assert_ok(restore(m, &to, how, NULL));
	assert_restored(&m->mem, &to, m->host.free_fill);
	fake_deinit(&to);
}

static inline void machine_init(struct machine *m, uint64_t blocks, enum fake_content content,
				enum pattern pattern, bool scattered)
{
	m->seal = NULL;
	fake_init(&m->mem, blocks, 0x12300);
	fake_fill(&m->mem, content, blocks + content);
	classify(&m->mem, pattern);
	m->host = fake_host(&m->mem, FREE_FILL_NONE);
	open_target(m, blocks * FAKE_BLOCK + 4 * MIB, scattered);
}

#endif
