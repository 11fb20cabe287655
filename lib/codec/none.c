/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stored as it is: chunks that do not shrink. */
#include "codec/codec.h"

#include <string.h>

static size_t none_bound(size_t n)
{
	return n;
}

static size_t none_compress(const void *in, size_t n, void *out, int level, void *workspace)
{
	(void)level;
	(void)workspace;
	memcpy(out, in, n);
	return n;
}

static err_t none_decompress(const void *in, size_t in_bytes, void *out, size_t n, void *workspace)
{
	(void)workspace;
	if (in_bytes != n)
		return err_new(ERR_CORRUPT, "stored chunk has %zu bytes instead of %zu", in_bytes,
			       n);
	memcpy(out, in, n);
	return NULL;
}

const struct codec codec_none = {
	.name = "none",
	.bound = none_bound,
	.compress = none_compress,
	.decompress = none_decompress,
};
