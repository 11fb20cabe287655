/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compression of chunks. A new codec is one file and one line in the table of
 * codec.c; its number is its id on disk (docs/image-format.md, "Codecs") and is
 * never used again.
 */
#ifndef CODEC_CODEC_H
#define CODEC_CODEC_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum codec_id {
	CODEC_NONE = 0,
	CODEC_LZO = 1,
};

struct codec {
	const char *name; /* "lzo", as in the configuration */

	/* Scratch memory for one compressing thread. */
	size_t workspace;

	/* Largest output for n bytes of input. */
	size_t (*bound)(size_t n);

	/* Into out of bound(n) bytes; returns the size. Cannot fail. */
	size_t (*compress)(const void *in, size_t n, void *out, void *workspace);

	/* Exactly n bytes into out, or ERR_CORRUPT; never writes past out + n. */
	err_t (*decompress)(const void *in, size_t in_bytes, void *out, size_t n);
};

/* The backends, for the table alone. */
extern const struct codec codec_none;
extern const struct codec codec_lzo;

/* NULL for an unknown id or name. */
const struct codec *codec_by_id(uint8_t id);
const struct codec *codec_by_name(const char *name);
uint8_t codec_id(const struct codec *codec);

#endif
