/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LZO1X by liblzo2: the codec of in-kernel hibernation and of kdump. */
#include "codec/codec.h"

#include <assert.h>
#include <lzo/lzo1x.h>

static size_t lzo_workspace(int level)
{
	(void)level;
	return LZO1X_1_MEM_COMPRESS;
}

static size_t lzo_bound(size_t n)
{
	return n + n / 16 + 64 + 3; /* LZO.FAQ, "How much can my data expand" */
}

/*
 * liblzo2 wants lzo_init() before anything else. It only compares the sizes of
 * types and keeps no state (LZO 2.10, src/lzo_init.c), so each call may do it
 * for itself, from any thread; it takes half a microsecond.
 */
static size_t lzo_compress(const void *in, size_t n, void *out, int level, void *workspace)
{
	lzo_uint out_bytes = lzo_bound(n);
	int r = lzo_init();

	(void)level;
	if (r == LZO_E_OK)
		r = lzo1x_1_compress(in, n, out, &out_bytes, workspace);
	assert(r == LZO_E_OK);
	return out_bytes;
}

static err_t lzo_decompress(const void *in, size_t in_bytes, void *out, size_t n, void *workspace)
{
	lzo_uint got = n;
	int r = lzo_init();

	(void)workspace;
	if (r == LZO_E_OK)
		r = lzo1x_decompress_safe(in, in_bytes, out, &got, NULL);
	if (r != LZO_E_OK)
		return err_new(ERR_CORRUPT, "chunk is no valid LZO data (%d)", r);
	if (got != n)
		return err_new(ERR_CORRUPT, "chunk gives %zu bytes instead of %zu", (size_t)got, n);
	return NULL;
}

const struct codec codec_lzo = {
	.name = "lzo",
	.workspace = lzo_workspace,
	.bound = lzo_bound,
	.compress = lzo_compress,
	.decompress = lzo_decompress,
};
