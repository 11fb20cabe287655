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

#define CODEC_INPUT_MAX (512u << 10) /* bytes to compress at once: a block */

enum codec_id {
	CODEC_NONE = 0,
	CODEC_LZO = 1,
	CODEC_LZ4 = 2,
	CODEC_ZSTD = 3,
};

struct codec {
	const char *name; /* "lzo", as in the configuration */

	/* Levels are 1 to level_max; 0: there are none. What they mean is the
	 * codec's own. */
	int level_max, level_default;

	/* Bytes of scratch memory for one compressing thread; NULL: none. */
	size_t (*workspace)(int level);

	/* Largest output for n bytes of input. */
	size_t (*bound)(size_t n);

	/* At most CODEC_INPUT_MAX bytes into out of bound(n) bytes; returns the
	 * size. Cannot fail. */
	size_t (*compress)(const void *in, size_t n, void *out, int level, void *workspace);

	/* The same for one decompressing thread. */
	size_t (*decompress_workspace)(void);

	/* Exactly n bytes into out, or ERR_CORRUPT; never writes past out + n. */
	err_t (*decompress)(const void *in, size_t in_bytes, void *out, size_t n, void *workspace);
};

/* The backends, for the table alone. */
extern const struct codec codec_none;
extern const struct codec codec_lzo;
extern const struct codec codec_lz4;
extern const struct codec codec_zstd;

/* NULL for an unknown id or name. */
const struct codec *codec_by_id(uint8_t id);
const struct codec *codec_by_name(const char *name);
uint8_t codec_id(const struct codec *codec);

/* Scratch memory that decompressing takes, whatever the codec. */
size_t codec_decompress_workspace(void);

/* What to compress with, as a user says it. */
struct codec_choice {
	const struct codec *codec; /* NULL: picked by measuring, "auto" */
	int level;		   /* 0 where the codec has none */
};

#define CODEC_CHOICE_TEXT_MAX 16

/* "lz4", "zstd", "zstd:3", "auto". ERR_INVALID, with the possible ones in the text. */
err_t codec_choice_parse(const char *text, struct codec_choice *out) ERR_CHECK;
void codec_choice_print(const struct codec_choice *choice, char out[CODEC_CHOICE_TEXT_MAX]);

/* Is it one that codec_choice_parse can give? For choices that come from elsewhere. */
bool codec_choice_valid(const struct codec_choice *choice);

/* What "auto" picks from: *count of them. */
const struct codec_choice *codec_candidates(size_t *count);

/* Scratch memory for one compressing thread; of auto: enough for each candidate. */
size_t codec_choice_workspace(const struct codec_choice *choice);

/* Largest output for n bytes, likewise. */
size_t codec_choice_bound(const struct codec_choice *choice, size_t n);

#endif
