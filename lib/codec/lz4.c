/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * LZ4 blocks by liblz4: the fastest to read. A level is its acceleration: 1 is the
 * densest, and the default: on a dump with 1.8 GiB of memory in use, 4 makes the
 * image 8 % larger, and the whole run is no faster (make bench-pipeline).
 */
#include "codec/codec.h"

#include <lz4.h>

static size_t lz4_workspace(int level)
{
	(void)level;
	return (size_t)LZ4_sizeofState();
}

static size_t lz4_bound(size_t n)
{
	return (size_t)LZ4_compressBound((int)n);
}

static size_t lz4_compress(const void *in, size_t n, void *out, int level, void *workspace)
{
	return (size_t)LZ4_compress_fast_extState(workspace, in, out, (int)n, (int)lz4_bound(n),
						  level);
}

static err_t lz4_decompress(const void *in, size_t in_bytes, void *out, size_t n, void *workspace)
{
	int got = LZ4_decompress_safe(in, out, (int)in_bytes, (int)n);

	(void)workspace;
	if (got < 0)
		return err_new(ERR_CORRUPT, "chunk is no valid LZ4 data (%d)", got);
	if ((size_t)got != n)
		return err_new(ERR_CORRUPT, "chunk gives %d bytes instead of %zu", got, n);
	return NULL;
}

const struct codec codec_lz4 = {
	.name = "lz4",
	.level_max = 16,
	.level_default = 1,
	.workspace = lz4_workspace,
	.bound = lz4_bound,
	.compress = lz4_compress,
	.decompress = lz4_decompress,
};
