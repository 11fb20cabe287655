/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the configured codec means for the writer. */
#ifndef HOST_WRITER_NEEDS_H
#define HOST_WRITER_NEEDS_H

#include "config/config.h"
#include "formats/handoff.h"
#include "formats/hostinfo.h"
#include "jump/window.h"

/* Its window and threads, for this host and a target of so many pieces. A codec that does not exist
 * counts as none: preflight refuses it. */
struct window_plan writer_needs_plan(const struct config *config, const struct hostinfo *host,
				     uint32_t pieces);

/* What the handoff says of codec and threads; h->host is there already. */
void writer_needs_handoff(const struct config *config, uint32_t pieces, struct handoff *h);

#endif
