/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/writer_needs.h"

#include "base/util.h"
#include "codec/codec.h"
#include "jump/window.h"

static struct codec_choice choice_of(const struct config *config)
{
	struct codec_choice choice = { .codec = &codec_none };

	err_free(codec_choice_parse(config->codec, &choice));
	return choice;
}

uint64_t writer_needs_window(const struct config *config, const struct hostinfo *host)
{
	struct codec_choice choice = choice_of(config);

	return window_bytes(host->cpus, range_bytes(&host->memory, RANGE_RAM),
			    codec_choice_workspace(&choice));
}

void writer_needs_codec(const struct config *config, struct handoff *h)
{
	struct codec_choice choice = choice_of(config);

	h->codec = choice.codec ? codec_id(choice.codec) : HANDOFF_CODEC_AUTO;
	h->codec_level = (uint32_t)choice.level;
}
