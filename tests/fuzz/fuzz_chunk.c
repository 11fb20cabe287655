/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every codec: decompressing any bytes gives exactly the bytes wanted or an error,
 * and what was compressed comes back. The libraries are not built with
 * sanitizers, so buffers end where memory ends.
 * Planted and found in 10 s: LZO's decompressor that trusts its input; LZ4's told of a byte
 * too many; too few bytes from LZO or Zstandard accepted.
 */
#include "fuzz.h"

#include "base/util.h"
#include "codec/codec.h"

#include <sys/mman.h>

#define AREA ((size_t)1 << 20) /* more than any buffer here has */

enum area { FROM, MID, TO, AREAS };

/* n bytes right before a page that cannot be touched; what was there is lost. */
static uint8_t *before_guard(enum area i, size_t n)
{
	static uint8_t *areas[AREAS];

	if (!areas[i]) {
		areas[i] = mmap(NULL, AREA + PAGE_BYTES, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		fuzz_check(areas[i] != MAP_FAILED);
		fuzz_check(!mprotect(areas[i] + AREA, PAGE_BYTES, PROT_NONE));
	}
	fuzz_check(n <= AREA);
	return areas[i] + (AREA - n);
}

static void *workspace(void)
{
	static void *w;

	if (!w)
		w = aligned_alloc(PAGE_BYTES,
				  align_up(codec_decompress_workspace() + 1, PAGE_BYTES));
	fuzz_check(w);
	return w;
}

/* Twice over other bytes: what it did not write shows. */
static void try_decompress(const struct codec *c, const uint8_t *in, size_t n, size_t wanted)
{
	uint8_t *from = before_guard(FROM, n), *first = before_guard(MID, wanted);
	uint8_t *to = before_guard(TO, wanted);
	bool fine;

	memcpy(from, in, n);
	memset(to - PAGE_BYTES, 0xa5, PAGE_BYTES + wanted);
	fine = fuzz_fine(c->decompress(from, n, to, wanted, workspace()));
	fuzz_check(to[-1] == 0xa5 && !memcmp(to - PAGE_BYTES, to - PAGE_BYTES + 1, PAGE_BYTES - 1));
	if (!fine)
		return;
	memcpy(first, to, wanted);
	memset(to, 0x5a, wanted);
	fuzz_check(fuzz_fine(c->decompress(from, n, to, wanted, workspace())));
	fuzz_check(!memcmp(first, to, wanted));
}

/* The input over and over, to whole pages. */
static void try_both_ways(const struct codec *c, int level, const uint8_t *in, size_t n, size_t raw)
{
	size_t bound = c->bound(raw), stored;
	uint8_t *from = before_guard(FROM, raw), *mid = before_guard(MID, bound), *to;
	void *w = c->workspace ? malloc(c->workspace(level)) : NULL;

	for (size_t i = 0; i < raw; i++)
		from[i] = in[i % n] + (uint8_t)(i / n * 3);
	stored = c->compress(from, raw, mid, level, w);
	fuzz_check(stored <= bound);
	to = before_guard(TO, raw);
	memset(to, 0, raw);
	fuzz_check(fuzz_fine(c->decompress(mid, stored, to, raw, workspace())));
	fuzz_check(!memcmp(from, to, raw));
	free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	const struct codec *c;
	int level;

	if (n < 4 || n > CODEC_INPUT_MAX || !(c = codec_by_id(in[0] & 0x7f)))
		return 0;
	/* The highest levels take long, and are the library's matter. */
	level = c->level_max ? in[2] % min_u64(c->level_max, 3) + 1 : 0;
	if (in[0] & 0x80)
		try_both_ways(c, level, in + 3, n - 3, (in[1] % 4 + 1) * PAGE_BYTES);
	else
		try_decompress(c, in + 3, n - 3, (in[1] % 128 + 1) * PAGE_BYTES);
	return 0;
}
