/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/checks/writer_needs.h"

#include "base/util.h"
#include "codec/codec.h"

static struct codec_choice choice_of(const struct config *config)
{
	struct codec_choice choice = {.codec = &codec_none};

	err_free(codec_choice_parse(config->codec, &choice));
	return choice;
}

struct window_plan writer_needs_plan(const struct config *config, const struct hostinfo *host,
				     uint32_t pieces)
{
	struct codec_choice choice = choice_of(config);

	return window_plan(host->cpus, range_bytes(&host->memory, RANGE_RAM),
			   codec_choice_workspace(&choice), pieces);
}

void writer_needs_handoff(const struct config *config, uint32_t pieces, struct handoff *h)
{
	struct codec_choice choice = choice_of(config);

	h->codec = choice.codec ? codec_id(choice.codec) : HANDOFF_CODEC_AUTO;
	h->codec_level = (uint32_t)choice.level;
	h->threads = writer_needs_plan(config, &h->host, pieces).threads;
}
