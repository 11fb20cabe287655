/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "target/target.h"
#include "tempfile.h"

#include <sys/stat.h>

#define BLOCK 4096u

static void test_whole_file(void **state)
{
	struct tempfile f;
	struct target t;

	(void)state;
	tempfile_open(&f, 10 * BLOCK + 100);
	assert_ok(target_open(&t, f.path, true, true));
	assert_int_equal(t.device_bytes, 10 * BLOCK + 100);
	assert_int_equal(t.bytes, 10 * BLOCK); /* planted: no rounding */
	assert_int_equal(t.extent_count, 1);
	assert_string_equal(t.name, f.path);
	assert_ok(target_flush(&t));
	target_close(&t);
	target_close(&t);		       /* once more does no harm */
	assert_int_equal(t.bytes, 10 * BLOCK); /* asked for by who has looked at it */
	assert_int_equal(t.extent_count, 0);
	tempfile_close(&f);
}

static void test_not_a_target(void **state)
{
	struct target t;
	char fifo[] = "/tmp/dormouse-fifo-XXXXXX";

	(void)state;
	assert_err(target_open(&t, "/nonexistent/disk", false, false), ERR_INVALID);
	assert_err(target_open(&t, "/tmp", false, false), ERR_INVALID);
	assert_err(target_open(&t, "/dev/null", false, false), ERR_INVALID);
	close(mkstemp(fifo));
	unlink(fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_err(target_open(&t, fifo, false, false), ERR_INVALID); /* and does not wait */
	unlink(fifo);
}

static void test_bad_extents(void **state)
{
	static const struct extent bad[][2] = {
		{{0, 0}, {0, BLOCK}},		      /* empty */
		{{100, BLOCK}, {3 * BLOCK, BLOCK}},   /* start */
		{{0, 100}, {3 * BLOCK, BLOCK}},	      /* length */
		{{0, BLOCK}, {9 * BLOCK, 2 * BLOCK}}, /* past the end */
		{{0, BLOCK}, {~0ull - BLOCK + 1, BLOCK}},
		{{0, BLOCK}, {BLOCK, ~0ull - BLOCK + 1}}, /* overflow */
		{{0, 3 * BLOCK}, {2 * BLOCK, BLOCK}},	  /* overlap */
		{{2 * BLOCK, BLOCK}, {0, 3 * BLOCK}},
	};
	struct extent *many = calloc(EXTENTS_MAX + 1, sizeof(*many));
	struct tempfile f;
	struct target t;

	(void)state;
	tempfile_open(&f, 10 * BLOCK);
	memset(&t, 0x5a, sizeof(t));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(target_open_extents(&t, f.path, true, bad[i], 2), ERR_INVALID);
	assert_err(target_open_extents(&t, f.path, true, many, 0), ERR_INVALID);
	assert_err(target_open_extents(&t, f.path, true, many, EXTENTS_MAX + 1), ERR_INVALID);
	assert_int_equal(t.extent_count, 0x5a5a5a5a); /* unchanged */
	assert_ok(target_open(&t, f.path, true, false));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(target_set_extents(&t, bad[i], 2), ERR_INVALID);
	assert_int_equal(t.extent_count, 1); /* unchanged */
	assert_int_equal(t.bytes, 10 * BLOCK);
	target_close(&t);
	free(many);
	tempfile_close(&f);
}

/* As many as there may be, two blocks each, the last one on the disk first. Planted: a
 * search that ends one extent too early; ends taken for starts. */
static void test_many_extents(void **state)
{
	struct extent *many = calloc(EXTENTS_MAX, sizeof(*many));
	uint64_t place, run, seed = 11;
	struct tempfile f;
	struct target t;

	(void)state;
	tempfile_open(&f, 3ull * EXTENTS_MAX * BLOCK);
	for (uint64_t i = 0; i < EXTENTS_MAX; i++)
		many[i] = (struct extent){(EXTENTS_MAX - 1 - i) * 3 * BLOCK, 2 * BLOCK};
	assert_ok(target_open_extents(&t, f.path, true, many, EXTENTS_MAX));
	assert_int_equal(t.bytes, 2ull * EXTENTS_MAX * BLOCK);
	for (unsigned int n = 0; n < 10000; n++) {
		uint64_t at = n < 4 ? (n % 2 ? t.bytes - 1 - n : n) : unit_random(&seed) % t.bytes;
		uint64_t i = at / (2 * BLOCK), in = at % (2 * BLOCK);

		assert_ok(target_map(&t, at, 5 * BLOCK, &place, &run));
		assert_int_equal(place, many[i].start + in);
		assert_int_equal(run, 2 * BLOCK - in);
	}
	assert_err(target_map(&t, t.bytes, 1, &place, &run), ERR_NOSPACE);
	many[17].start = many[40000].start + BLOCK;
	assert_err(target_set_extents(&t, many, EXTENTS_MAX), ERR_INVALID);
	target_close(&t);
	free(many);
	tempfile_close(&f);
}

static const struct extent shuffled[] = {
	{8 * BLOCK, 2 * BLOCK},
	{1 * BLOCK, 1 * BLOCK},
	{3 * BLOCK, 4 * BLOCK},
};

static void test_map(void **state)
{
	/* block of the address space -> block of the file, contiguous blocks */
	static const unsigned int want[][2] = {{8, 2}, {9, 1}, {1, 1}, {3, 4},
					       {4, 3}, {5, 2}, {6, 1}};
	uint64_t place, run;
	struct tempfile f;
	struct target t;

	(void)state;
	tempfile_open(&f, 10 * BLOCK);
	assert_ok(target_open_extents(&t, f.path, true, shuffled, 3));
	assert_int_equal(t.bytes, 7 * BLOCK);
	for (unsigned int i = 0; i < ARRAY_LEN(want); i++) {
		assert_ok(target_map(&t, i * BLOCK, 100 * BLOCK, &place, &run));
		assert_int_equal(place, want[i][0] * BLOCK);
		assert_int_equal(run, want[i][1] * BLOCK);
		assert_ok(target_map(&t, i * BLOCK + 10, 20, &place, &run));
		assert_int_equal(place, want[i][0] * BLOCK + 10);
		assert_int_equal(run, 20);
	}
	assert_err(target_map(&t, 7 * BLOCK, 1, &place, &run), ERR_NOSPACE);
	assert_err(target_map(&t, ~0ull, 1, &place, &run), ERR_NOSPACE);
	target_close(&t);
	tempfile_close(&f);
}

/* Planted: extents taken in the order of their start; a write that does not go
 * on in the next extent. */
static void test_read_write(void **state)
{
	uint8_t *buf = target_buffer(10 * BLOCK), *file = target_buffer(10 * BLOCK);
	struct tempfile f;
	struct target t;

	(void)state;
	tempfile_open(&f, 10 * BLOCK);
	assert_ok(target_open_extents(&t, f.path, true, shuffled, 3));
	for (unsigned int i = 0; i < 7; i++)
		memset(buf + i * BLOCK, 'A' + (int)i, BLOCK);
	assert_ok(target_write(&t, buf, 7 * BLOCK, 0));
	assert_ok(target_flush(&t));
	assert_int_equal(pread(f.fd, file, 10 * BLOCK, 0), 10 * BLOCK);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(file[i * BLOCK + 17], "\0C\0DEFG\0AB"[i]);
	memset(buf, 0, 7 * BLOCK);
	assert_ok(target_read(&t, buf, 4 * BLOCK, 1 * BLOCK));
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(buf[i * BLOCK + 4000], 'B' + (int)i);
	assert_err(target_write(&t, buf, 2 * BLOCK, 6 * BLOCK), ERR_NOSPACE);
	assert_err(target_read(&t, buf, BLOCK, 7 * BLOCK), ERR_NOSPACE);
	target_close(&t);
	free(buf);
	free(file);
	tempfile_close(&f);
}

static void test_read_only(void **state)
{
	uint8_t *buf = target_buffer(BLOCK);
	struct tempfile f;
	struct target t;

	(void)state;
	memset(buf, 0, BLOCK);
	tempfile_open(&f, 10 * BLOCK);
	assert_ok(target_open(&t, f.path, false, false));
	assert_err(target_write(&t, buf, BLOCK, 0), ERR_IO);
	assert_int_equal(ftruncate(f.fd, 0), 0);
	assert_err(target_read(&t, buf, BLOCK, 0), ERR_IO); /* it ends early */
	target_close(&t);
	free(buf);
	tempfile_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_file),  cmocka_unit_test(test_not_a_target),
		cmocka_unit_test(test_bad_extents), cmocka_unit_test(test_many_extents),
		cmocka_unit_test(test_map),	    cmocka_unit_test(test_read_write),
		cmocka_unit_test(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
