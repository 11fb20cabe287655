/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zstandard by libzstd: the smallest images. Its contexts live in the caller's
 * scratch memory, so that nothing is allocated while an image is written. Their
 * size is only known of given parameters, so all of them are given: those of
 * the level for a whole block.
 */
#define ZSTD_STATIC_LINKING_ONLY /* contexts in given memory: there since 1.2.0 */
#include "codec/codec.h"

#include <assert.h>
#include <zstd.h>

#define LEVEL_MAX     19 /* those above want much more memory */
#define LEVEL_DEFAULT 1	 /* each level above saves less than it costs */

static size_t zstd_workspace(int level)
{
	return ZSTD_estimateCCtxSize_usingCParams(ZSTD_getCParams(level, CODEC_INPUT_MAX, 0));
}

static size_t zstd_bound(size_t n)
{
	return ZSTD_compressBound(n);
}

static void set(ZSTD_CCtx *ctx, ZSTD_cParameter parameter, unsigned int value)
{
	size_t r = ZSTD_CCtx_setParameter(ctx, parameter, (int)value);

	assert(!ZSTD_isError(r));
	(void)r;
}

static size_t zstd_compress(const void *in, size_t n, void *out, int level, void *workspace)
{
	ZSTD_compressionParameters p = ZSTD_getCParams(level, CODEC_INPUT_MAX, 0);
	ZSTD_CCtx *ctx = ZSTD_initStaticCCtx(workspace, zstd_workspace(level));
	size_t r;

	assert(ctx);
	set(ctx, ZSTD_c_windowLog, p.windowLog);
	set(ctx, ZSTD_c_chainLog, p.chainLog);
	set(ctx, ZSTD_c_hashLog, p.hashLog);
	set(ctx, ZSTD_c_searchLog, p.searchLog);
	set(ctx, ZSTD_c_minMatch, p.minMatch);
	set(ctx, ZSTD_c_targetLength, p.targetLength);
	set(ctx, ZSTD_c_strategy, p.strategy);
	r = ZSTD_compress2(ctx, out, zstd_bound(n), in, n);
	assert(!ZSTD_isError(r));
	return r;
}

static size_t zstd_decompress_workspace(void)
{
	return ZSTD_estimateDCtxSize();
}

static err_t zstd_decompress(const void *in, size_t in_bytes, void *out, size_t n, void *workspace)
{
	ZSTD_DCtx *ctx = ZSTD_initStaticDCtx(workspace, zstd_decompress_workspace());
	size_t got;

	assert(ctx);
	/* The library would take several frames, and skip others. */
	if (ZSTD_findFrameCompressedSize(in, in_bytes) != in_bytes)
		return err_new(ERR_CORRUPT, "chunk is not one Zstandard frame");
	got = ZSTD_decompressDCtx(ctx, out, n, in, in_bytes);
	if (ZSTD_isError(got))
		return err_new(ERR_CORRUPT, "chunk is no valid Zstandard data (%s)",
			       ZSTD_getErrorName(got));
	if (got != n)
		return err_new(ERR_CORRUPT, "chunk gives %zu bytes instead of %zu", got, n);
	return NULL;
}

const struct codec codec_zstd = {
	.name = "zstd",
	.level_max = LEVEL_MAX,
	.level_default = LEVEL_DEFAULT,
	.workspace = zstd_workspace,
	.bound = zstd_bound,
	.compress = zstd_compress,
	.decompress_workspace = zstd_decompress_workspace,
	.decompress = zstd_decompress,
};
