/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Codecs as the user names them. */
#include "base/util.h"
#include "codec/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From those for fast targets to those for slow ones. LZO is never better than LZ4. */
static const struct codec_choice candidates[] = {
	{&codec_none, 0},
	{&codec_lz4, 4},
	{&codec_lz4, 1},
	{&codec_zstd, 1},
};

const struct codec_choice *codec_candidates(size_t *count)
{
	*count = ARRAY_LEN(candidates);
	return candidates;
}

bool codec_choice_valid(const struct codec_choice *choice)
{
	if (!choice->codec || !choice->codec->level_max)
		return choice->level == 0;
	return choice->level >= 1 && choice->level <= choice->codec->level_max;
}

static err_t unknown(const char *text)
{
	return err_new(ERR_INVALID,
		       "there is no codec \"%s\": possible are lz4, lz4:1 (dense) to lz4:%d "
		       "(fast), zstd, zstd:1 (fast) to zstd:%d (dense), lzo, none, and auto",
		       text, codec_lz4.level_max, codec_zstd.level_max);
}

err_t codec_choice_parse(const char *text, struct codec_choice *out)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	struct codec_choice c = {0};
	char name[16];
	char *end;

	if (!strcmp(text, "auto")) {
		*out = c;
		return NULL;
	}
	if (n >= sizeof(name))
		return unknown(text);
	memcpy(name, text, n);
	name[n] = '\0';
	c.codec = codec_by_name(name);
	if (!c.codec)
		return unknown(text);
	c.level = c.codec->level_default;
	if (colon) {
		long level = strtol(colon + 1, &end, 10);

		if (colon[1] < '0' || colon[1] > '9' || *end || level > 99)
			return unknown(text);
		c.level = (int)level;
	}
	if (!codec_choice_valid(&c) || (colon && !c.codec->level_max))
		return unknown(text);
	*out = c;
	return NULL;
}

void codec_choice_print(const struct codec_choice *c, char out[CODEC_CHOICE_TEXT_MAX])
{
	if (c->level)
		snprintf(out, CODEC_CHOICE_TEXT_MAX, "%s:%d", c->codec->name, c->level);
	else
		snprintf(out, CODEC_CHOICE_TEXT_MAX, "%s", c->codec ? c->codec->name : "auto");
}

size_t codec_choice_workspace(const struct codec_choice *c)
{
	size_t most = 0;

	if (c->codec)
		return c->codec->workspace ? c->codec->workspace(c->level) : 0;
	for (size_t i = 0; i < ARRAY_LEN(candidates); i++)
		most = max_u64(most, codec_choice_workspace(&candidates[i]));
	return most;
}

size_t codec_choice_bound(const struct codec_choice *c, size_t n)
{
	size_t most = 0;

	if (c->codec)
		return c->codec->bound(n);
	for (size_t i = 0; i < ARRAY_LEN(candidates); i++)
		most = max_u64(most, candidates[i].codec->bound(n));
	return most;
}
