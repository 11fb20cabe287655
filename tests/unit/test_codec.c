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
	struct fenced f = {.map_bytes = room + PAGE_BYTES};

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
	static const char *const words[] = {"kernel ", "page ", "writer ", "swap ", "\0\0\0\0"};
	uint64_t seed = 99;

	memset(p, 0, n);
	for (size_t i = 0; content == WORDS && i + 8 < n; i += 7)
		memcpy(p + i, words[unit_random(&seed) % 5], 5);
	for (size_t i = 0; content == NOISE && i < n; i++)
		p[i] = (uint8_t)unit_random(&seed);
}

/* Compress; the result ends at the fence. *size: its bytes. */
static struct fenced compress(const struct codec *c, const struct fenced *in, size_t n,
			      size_t *size)
{
	struct fenced out = fence(c->bound(n)), cut;
	size_t workspace_bytes = c->workspace ? c->workspace(c->level_default) : 0;
	struct fenced workspace = fence(align_up(workspace_bytes, 64));

	memset(workspace.p, 0xa5, workspace_bytes); /* nothing may depend on what is there */
	*size = c->compress(in->p, n, out.p, c->level_default, workspace.p);
	assert_true(*size > 0 && *size <= c->bound(n));
	unfence(&workspace);
	cut = fence(*size);
	memcpy(cut.p, out.p, *size);
	unfence(&out);
	return cut;
}

static err_t decompress(const struct codec *c, const void *in, size_t in_bytes, void *out, size_t n)
{
	size_t bytes = c->decompress_workspace ? c->decompress_workspace() : 0;
	struct fenced workspace = fence(align_up(bytes, 64));
	err_t e;

	memset(workspace.p, 0xa5, bytes);
	e = c->decompress(in, in_bytes, out, n, workspace.p);
	unfence(&workspace);
	return e;
}

static void round_trip_one(const struct codec *c, size_t n, enum content content)
{
	struct fenced in = fence(n), out = fence(n), packed;
	size_t size;

	fill(in.p, n, content);
	packed = compress(c, &in, n, &size);
	memset(out.p, 0xee, n);
	assert_ok(decompress(c, packed.p, size, out.p, n));
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
		assert_err(decompress(c, cut.p, i, out.p, n), ERR_CORRUPT);
		unfence(&cut);
	}
	unfence(&out);

	longer = fence(size + 1);
	memcpy(longer.p, packed.p, size);
	out = fence(n);
	assert_err(decompress(c, longer.p, size + 1, out.p, n), ERR_CORRUPT);
	unfence(&out);
	out = fence(n - 1);
	assert_err(decompress(c, packed.p, size, out.p, n - 1), ERR_CORRUPT);
	unfence(&out);
	out = fence(n + 1);
	assert_err(decompress(c, packed.p, size, out.p, n + 1), ERR_CORRUPT);
	unfence(&out);
	out = fence(PAGE_BYTES);
	assert_err(decompress(c, packed.p, size, out.p, 1), ERR_CORRUPT);
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
		err_free(decompress(c, packed.p, size, out.p, n));
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
	static const char *const ids[] = {"none", "lzo", "lz4",
					  "zstd"}; /* docs/image-format.md, "Codecs" */

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

/* Each level round trips within its scratch memory. */
static void levels(void **state)
{
	struct codec leveled;

	(void)state;
	for (int id = 0; id < 256; id++)
		for (int l = 1;
		     codec_by_id((uint8_t)id) && l <= codec_by_id((uint8_t)id)->level_max; l++) {
			leveled = *codec_by_id((uint8_t)id);
			leveled.level_default = l;
			round_trip_one(&leveled, PAGE_BYTES, WORDS);
			round_trip_one(&leveled, LARGEST, WORDS);
			round_trip_one(&leveled, LARGEST, NOISE);
		}
}

/* Two Zstandard frames, and one that is to be skipped, are not one frame. */
static void zstd_frames(void **state)
{
	const struct codec *c = codec_by_id(CODEC_ZSTD);
	struct fenced in = fence(PAGE_BYTES), packed, two, out = fence(2 * PAGE_BYTES);
	static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
	size_t size;

	(void)state;
	fill(in.p, PAGE_BYTES, WORDS);
	packed = compress(c, &in, PAGE_BYTES, &size);
	two = fence(2 * size);
	memcpy(two.p, packed.p, size);
	memcpy(two.p + size, packed.p, size);
	assert_err(decompress(c, two.p, 2 * size, out.p, 2 * PAGE_BYTES), ERR_CORRUPT);
	unfence(&two);
	two = fence(size + sizeof(skippable));
	memcpy(two.p, packed.p, size);
	memcpy(two.p + size, skippable, sizeof(skippable));
	assert_err(decompress(c, two.p, size + sizeof(skippable), out.p, PAGE_BYTES), ERR_CORRUPT);
	assert_err(decompress(c, skippable, sizeof(skippable), out.p, PAGE_BYTES), ERR_CORRUPT);
	unfence(&two);
	unfence(&packed);
	unfence(&in);
	unfence(&out);
}

static void choices(void **state)
{
	static const char *const good[] = {"none",   "lzo",	"lz4:1", "lz4:16",
					   "zstd:1", "zstd:19", "auto"};
	static const char *const bad[] = {"",
					  "gzip",
					  "zstd:",
					  "zstd:0",
					  "zstd:20",
					  "zstd:1x",
					  "lz4:17",
					  "lzo:1",
					  "zstd:-1",
					  "auto:1",
					  "zstd:999999999999",
					  "averylongnameofacodec"};
	char text[CODEC_CHOICE_TEXT_MAX];
	struct codec_choice c;
	size_t count;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_ok(codec_choice_parse(good[i], &c));
		codec_choice_print(&c, text);
		assert_string_equal(text, good[i]);
		assert_true(codec_choice_valid(&c));
	}
	assert_ok(codec_choice_parse("zstd", &c));
	assert_ptr_equal(c.codec, codec_by_id(CODEC_ZSTD));
	assert_int_equal(c.level, c.codec->level_default);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(codec_choice_parse(bad[i], &c), ERR_INVALID);
	c = (struct codec_choice){codec_by_id(CODEC_LZO), 1};
	assert_false(codec_choice_valid(&c));
	c = (struct codec_choice){NULL, 0};
	for (size_t i = 0; i < (codec_candidates(&count), count); i++) {
		const struct codec_choice *candidate = &codec_candidates(&count)[i];

		assert_true(codec_choice_valid(candidate));
		assert_true(codec_choice_workspace(candidate) <= codec_choice_workspace(&c));
		assert_true(codec_choice_bound(candidate, LARGEST) <=
			    codec_choice_bound(&c, LARGEST));
	}
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
		cmocka_unit_test(round_trip),  cmocka_unit_test(negative),
		cmocka_unit_test(flips),       cmocka_unit_test(shrinks),
		cmocka_unit_test(table),       cmocka_unit_test(levels),
		cmocka_unit_test(zstd_frames), cmocka_unit_test(choices),
		cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
