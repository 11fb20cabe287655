/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of codecs. To add one: a file that defines its struct codec, its
 * declaration in codec.h, an id there and its line here, the id in
 * docs/image-format.md ("Codecs"), and the library in the Makefile. The
 * contract test (tests/unit/test_codec.c) finds it by itself.
 */
#include "codec/codec.h"

#include "base/util.h"

#include <string.h>

static const struct codec *const codecs[] = {
	[CODEC_NONE] = &codec_none,
	[CODEC_LZO] = &codec_lzo,
	[CODEC_LZ4] = &codec_lz4,
	[CODEC_ZSTD] = &codec_zstd,
};

const struct codec *codec_by_id(uint8_t id)
{
	return id < ARRAY_LEN(codecs) ? codecs[id] : NULL;
}

const struct codec *codec_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		if (codecs[i] && !strcmp(codecs[i]->name, name))
			return codecs[i];
	return NULL;
}

uint8_t codec_id(const struct codec *codec)
{
	uint8_t id = 0;

	while (codecs[id] != codec)
		id++;
	return id;
}

size_t codec_decompress_workspace(void)
{
	size_t most = 0;

	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		if (codecs[i] && codecs[i]->decompress_workspace)
			most = max_u64(most, codecs[i]->decompress_workspace());
	return most;
}
