/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Saving what is left of a damaged image (image_reader_options.damaged), and
 * images cut off at every point. Planted, and found: the rest of the units of a
 * damaged chunk's job not put back; damage of the sink passed over; a segment
 * read again after its damage was told; a chunk beside what cannot be read given
 * up with it.
 */
#include "testmachine.h"

#include "image/indexscan.h"

#define TOLD_MAX 64

struct told {
	unsigned int count;
	char text[TOLD_MAX][256];
};

static void tell(void *arg, err_t e)
{
	struct told *told = arg;

	assert_true(told->count < TOLD_MAX);
	snprintf(told->text[told->count++], sizeof(told->text[0]), "%s", err_text(e));
}

static err_t salvage(struct machine *m, struct fakemem *to, struct told *told)
{
	struct image_reader_options o = {.threads = 2, .damaged = tell, .damaged_arg = told};
	struct memory_sink sink = fake_sink(to);

	told->count = 0;
	return image_restore(&m->t, &m->slot, &m->host, &sink, &o);
}

static bool block_is_there(const struct machine *m, const struct fakemem *to, uint64_t block)
{
	for (uint64_t i = block * CHUNK_PAGES; i < (block + 1) * CHUNK_PAGES; i++)
		if (m->mem.classes[i] == PAGE_SAVE &&
		    memcmp(m->mem.mem + i * PAGE_BYTES, to->mem + i * PAGE_BYTES, PAGE_BYTES))
			return false;
	return true;
}

static bool block_is_untouched(const struct fakemem *to, uint64_t block)
{
	for (uint64_t i = block * CHUNK_PAGES; i < (block + 1) * CHUNK_PAGES; i++)
		if (!page_is(to->mem + i * PAGE_BYTES, FAKE_GUARD))
			return false;
	return true;
}

/* The place of a block's chunk in the image. */
static struct chunk chunk_of(struct machine *m, uint64_t block)
{
	struct indexscan scan;
	struct chunk c;
	bool more;

	assert_ok(indexscan_init(&scan, &m->t, &m->slot, NULL, &m->host));
	do
		assert_ok(indexscan_next(&scan, &c, &more));
	while (more && c.first_pfn != m->mem.first_pfn[block]);
	assert_true(more);
	indexscan_deinit(&scan);
	return c;
}

static void damaged_chunks(void **state)
{
	struct machine m;
	struct fakemem to;
	struct told told;

	(void)state;
	machine_init(&m, 40, FAKE_MIXED, RUNS, false);
	assert_ok(write_image(&m, &usual, NULL));
	for (uint64_t b = 3; b < 40; b += 12)
		tempfile_flip(&m.file, chunk_of(&m, b).offset, 1);
	to = empty_like(&m.mem);
	assert_ok(salvage(&m, &to, &told));
	assert_int_equal(told.count, 4);
	for (uint64_t b = 0; b < 40; b++)
		assert_true(b % 12 == 3 ? block_is_untouched(&to, b) : block_is_there(&m, &to, b));
	for (unsigned int i = 0; i < told.count; i++)
		assert_non_null(strstr(told.text[i], "chunk at 0x"));
	fake_deinit(&to);
	machine_deinit(&m);
}

/* Every second page, so that a segment has few entries and there are several. */
static void damaged_segment(void **state)
{
	struct told told;
	struct machine m;
	struct fakemem to;
	uint64_t lost = 0;
	struct indexscan scan;
	struct index_place place;

	(void)state;
	machine_init(&m, 300, FAKE_WORDS, EVERY_SECOND, false);
	assert_ok(write_image(&m, &usual, NULL));
	assert_ok(indexscan_init(&scan, &m.t, &m.slot, NULL, &m.host));
	assert_true(scan.segments >= 3);
	assert_ok(directory_place(scan.directory, 1, false, m.slot.image_end, &place));
	indexscan_deinit(&scan);
	tempfile_flip(&m.file, place.offset + 100, 1);
	to = empty_like(&m.mem);
	assert_ok(salvage(&m, &to, &told));
	assert_int_equal(told.count, 1);
	assert_non_null(strstr(told.text[0], "index segment 1, for memory from 0x"));
	for (uint64_t b = 0; b < 300; b++) {
		lost += !block_is_there(&m, &to, b);
		assert_true(block_is_there(&m, &to, b) || block_is_untouched(&to, b));
	}
	assert_true(lost > 0 && lost < 150);
	assert_true(block_is_there(&m, &to, 0) && block_is_there(&m, &to, 299));
	fake_deinit(&to);
	machine_deinit(&m);
}

/* A target that has lost its end: what lies before it in the same MiB is saved. */
static void unreadable(void **state)
{
	const struct how in_order = {"lz4", 1, false, false};
	struct told told;
	struct machine m;
	struct fakemem to;
	uint64_t cut;

	(void)state;
	machine_init(&m, 20, FAKE_RANDOM, ALL, false);
	assert_ok(write_image(&m, &in_order, NULL));
	cut = align_down(chunk_of(&m, 7).offset + 4096, PAGE_BYTES);
	/* The index comes after the data; a hole of the device is told from its end. */
	assert_true(cut % MIB != 0 && m.slot.directory.offset > cut);
	to = empty_like(&m.mem);
	m.t.extents[2] = (struct extent){cut + MIB, m.t.bytes - cut - MIB};
	m.t.extents[1] = (struct extent){1ull << 60, MIB}; /* behind the file's end */
	m.t.extents[0].length = cut;
	m.t.extent_count = 3;
	assert_ok(salvage(&m, &to, &told));
	assert_true(told.count >= 2 && told.count <= 4);
	for (uint64_t b = 0; b < 7; b++)
		assert_true(block_is_there(&m, &to, b));
	assert_true(block_is_untouched(&to, 7));
	assert_true(block_is_there(&m, &to, 10) && block_is_there(&m, &to, 19));
	fake_deinit(&to);
	machine_deinit(&m);
}

static err_t full(void *self, unsigned int thread, uint64_t pfn, uint8_t *pages,
		  const uint8_t *placed)
{
	(void)self;
	(void)thread;
	(void)pages;
	(void)placed;
	return pfn ? err_new(ERR_NOSPACE, "the place is full") : NULL;
}

/* What fails on the other side is no damage of the image. */
static void sink_errors(void **state)
{
	struct told told = {0};
	struct image_reader_options o = {.threads = 2, .damaged = tell, .damaged_arg = &told};
	struct memory_sink sink;
	struct machine m;
	struct fakemem to;

	(void)state;
	machine_init(&m, 9, FAKE_RANDOM, ALL, false);
	assert_ok(write_image(&m, &usual, NULL));
	to = empty_like(&m.mem);
	sink = fake_sink(&to);
	sink.unmap = full;
	assert_err(image_restore(&m.t, &m.slot, &m.host, &sink, &o), ERR_NOSPACE);
	assert_int_equal(told.count, 0);
	fake_deinit(&to);
	machine_deinit(&m);
}

/*
 * Cut off at each 4 KiB, and a byte before each: an error, and nothing placed,
 * whatever is asked for. (A target ends at a multiple of 4 KiB, so there are no
 * other points.)
 */
static void truncated(void **state)
{
	struct told told;
	struct machine m;
	struct fakemem to;
	uint64_t end;

	(void)state;
	machine_init(&m, 2, FAKE_TEXT, RUNS, false);
	assert_ok(write_image(&m, &usual, NULL));
	end = m.slot.image_end;
	to = empty_like(&m.mem);
	for (uint64_t n = 0; n < 2 * end / PAGE_BYTES; n++) {
		uint64_t bytes = end - n / 2 * PAGE_BYTES - 1 + n % 2;

		if (bytes == end)
			continue;
		assert_int_equal(ftruncate(m.file.fd, (off_t)bytes), 0);
		target_close(&m.t);
		assert_ok(target_open(&m.t, m.file.path, false, false));
		assert_true(unit_is_err(restore(&m, &to, &usual, NULL)));
		assert_true(unit_is_err(salvage(&m, &to, &told)));
	}
	assert_untouched(&to);
	fake_deinit(&to);
	machine_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_chunks), cmocka_unit_test(damaged_segment),
		cmocka_unit_test(unreadable),	  cmocka_unit_test(sink_errors),
		cmocka_unit_test(truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
