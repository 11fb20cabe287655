/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract of codec/codec.h, for every codec in the table. Input and output
 * end right before an inaccessible page, since the libraries are not built with
 * the sanitizers: a byte read or written behind the end is a SIGSEGV.
 *
 * Planted faults that made it fail: lzo1x_decompress instead of _safe, the
 * output's size not compared, bound(n) = n for LZO, "none" without its check.
 */
#include "unit.h"

#include "base/util.h"
#include "codec/codec.h"

#include <pthread.h>
#include <sys/mman.h>

#define LARGEST (128 * PAGE_BYTES)

/* n bytes with nothing behind them. */
struct fenced {
	uint8_t *p;
	uint8_t *map;
	size_t map_bytes;
};

static struct fenced fence(size_t n)
{
	size_t room = align_up(n, PAGE_BYTES);
	struct fenced f = { .map_bytes = room + PAGE_BYTES };

	f.map = mmap(NULL, f.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(f.map != MAP_FAILED);
	assert_int_equal(mprotect(f.map + room, PAGE_BYTES, PROT_NONE), 0);
	f.p = f.map + room - n;
	return f;
}

static void unfence(struct fenced *f)
{
	munmap(f->map, f->map_bytes);
}

enum content { ZEROS, WORDS, NOISE, CONTENTS };

static void fill(uint8_t *p, size_t n, enum content content)
{
	static const char *const words[] = { "kernel ", "page ", "writer ", "swap ", "\0\0\0\0" };
	uint64_t seed = 99;

	memset(p, 0, n);
	for (size_t i = 0; content == WORDS && i + 8 < n; i += 7)
		memcpy(p + i, words[unit_random(&seed) % 5], 5);
	for (size_t i = 0; content == NOISE && i < n; i++)
		p[i] = (uint8_t)unit_random(&seed);
}

/* Compress; the result ends at the fence. *size: its bytes. */
static struct fenced compress(const struct codec *c, const struct fenced *in, size_t n, size_t *size)
{
	struct fenced out = fence(c->bound(n)), cut;
	void *workspace = malloc(c->workspace + 1);

	memset(workspace, 0xa5, c->workspace); /* nothing may depend on what is there */
	*size = c->compress(in->p, n, out.p, workspace);
	assert_true(*size > 0 && *size <= c->bound(n));
	free(workspace);
	cut = fence(*size);
	memcpy(cut.p, out.p, *size);
	unfence(&out);
	return cut;
}

static void round_trip_one(const struct codec *c, size_t n, enum content content)
{
	struct fenced in = fence(n), out = fence(n), packed;
	size_t size;

	fill(in.p, n, content);
	packed = compress(c, &in, n, &size);
	memset(out.p, 0xee, n);
	assert_ok(c->decompress(packed.p, size, out.p, n));
	assert_memory_equal(in.p, out.p, n);
	unfence(&in);
	unfence(&out);
	unfence(&packed);
}

/* What does not give exactly n bytes is ERR_CORRUPT. */
static void negative_one(const struct codec *c, size_t n, enum content content)
{
	struct fenced in = fence(n), packed, out, longer;
	size_t size;

	fill(in.p, n, content);
	packed = compress(c, &in, n, &size);
	out = fence(n);
	for (size_t i = 0; i < size; i++) { /* every truncation */
		struct fenced cut = fence(i);

		memcpy(cut.p, packed.p, i);
		assert_err(c->decompress(cut.p, i, out.p, n), ERR_CORRUPT);
		unfence(&cut);
	}
	unfence(&out);

	longer = fence(size + 1);
	memcpy(longer.p, packed.p, size);
	out = fence(n);
	assert_err(c->decompress(longer.p, size + 1, out.p, n), ERR_CORRUPT);
	unfence(&out);
	out = fence(n - 1);
	assert_err(c->decompress(packed.p, size, out.p, n - 1), ERR_CORRUPT);
	unfence(&out);
	out = fence(n + 1);
	assert_err(c->decompress(packed.p, size, out.p, n + 1), ERR_CORRUPT);
	unfence(&out);
	out = fence(PAGE_BYTES);
	assert_err(c->decompress(packed.p, size, out.p, 1), ERR_CORRUPT);
	unfence(&out);
	unfence(&longer);
	unfence(&packed);
	unfence(&in);
}

/* Damaged input: any result, but inside its buffer. */
static void flips_one(const struct codec *c, size_t n, enum content content)
{
	struct fenced in = fence(n), out = fence(n), packed;
	size_t size;

	fill(in.p, n, content);
	packed = compress(c, &in, n, &size);
	for (size_t bit = 0; bit < size * 8; bit++) {
		packed.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		err_free(c->decompress(packed.p, size, out.p, n));
		packed.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	unfence(&in);
	unfence(&out);
	unfence(&packed);
}

static void for_each(void (*f)(const struct codec *, size_t, enum content), size_t n)
{
	for (int id = 0; id < 256; id++)
		for (int content = 0; codec_by_id((uint8_t)id) && content < CONTENTS; content++)
			f(codec_by_id((uint8_t)id), n, (enum content)content);
}

static void round_trip(void **state)
{
	(void)state;
	for_each(round_trip_one, PAGE_BYTES);
	for_each(round_trip_one, 3 * PAGE_BYTES);
	for_each(round_trip_one, LARGEST);
}

static void negative(void **state)
{
	(void)state;
	for_each(negative_one, PAGE_BYTES);
}

static void flips(void **state)
{
	(void)state;
	for_each(flips_one, PAGE_BYTES);
}

/* Zeros must shrink in all but "none"; noise is what chunks are stored for. */
static void shrinks(void **state)
{
	struct fenced in = fence(LARGEST), packed;
	size_t size;

	(void)state;
	for (int id = 1; id < 256; id++) {
		if (!codec_by_id((uint8_t)id))
			continue;
		packed = compress(codec_by_id((uint8_t)id), &in, LARGEST, &size);
		assert_true(size < LARGEST / 50);
		unfence(&packed);
	}
	unfence(&in);
}

static void table(void **state)
{
	static const char *const ids[] = { "none", "lzo" }; /* docs/image-format.md, "Codecs" */

	(void)state;
	for (uint8_t id = 0; id < ARRAY_LEN(ids); id++) {
		const struct codec *c = codec_by_id(id);

		assert_non_null(c);
		assert_string_equal(c->name, ids[id]);
		assert_ptr_equal(codec_by_name(ids[id]), c);
		assert_int_equal(codec_id(c), id);
	}
	assert_null(codec_by_id(ARRAY_LEN(ids)));
	assert_null(codec_by_id(255));
	assert_null(codec_by_name("lz"));
	assert_null(codec_by_name(""));
}

static void *many_rounds(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++)
		for_each(round_trip_one, 16 * PAGE_BYTES);
	return NULL;
}

static void threads(void **state)
{
	pthread_t t[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, many_rounds, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(negative), cmocka_unit_test(flips),
		cmocka_unit_test(shrinks),    cmocka_unit_test(table),	  cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
