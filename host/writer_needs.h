/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the configured codec means for the writer. */
#ifndef HOST_WRITER_NEEDS_H
#define HOST_WRITER_NEEDS_H

#include "config/config.h"
#include "formats/handoff.h"
#include "formats/hostinfo.h"

#include <stdint.h>

/* Bytes of its main window, for this host. A codec that does not exist counts
 * as none: preflight refuses it. */
uint64_t writer_needs_window(const struct config *config, const struct hostinfo *host);

/* What the handoff says of the codec; it is one that preflight has accepted. */
void writer_needs_codec(const struct config *config, struct handoff *h);

#endif
