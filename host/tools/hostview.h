/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hibernation image as the host saw its memory: in the image, what the host
 * had in the windows lies where the jump has exchanged it to.
 */
#ifndef HOST_HOSTVIEW_H
#define HOST_HOSTVIEW_H

#include "base/err.h"
#include "elf/sink.h"
#include "formats/hostinfo.h"

/* Length of the notes that a dump of this host gets: its VMCOREINFO. */
size_t hostview_notes_bytes(const struct hostinfo *host);

/*
 * All memory is placed: put the windows' pages where the host had them, and its
 * VMCOREINFO into the notes. ERR_FORMAT: the list of exchanged pages is not
 * there, or the note is none.
 */
err_t hostview_finish(const struct hostinfo *host, struct elfsink *sink) ERR_CHECK;

#endif
