/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an image must know of the filesystems that are mounted, so that nobody
 * resumes it after they were written to: the places on bare disks of which the
 * writer takes fingerprints.
 */
#ifndef HOST_WATCHED_H
#define HOST_WATCHED_H

#include "base/err.h"
#include "formats/prints.h"
#include "host/disks/mounts.h"

/*
 * All of them: of writable filesystems, and of those mounted read-only that somebody
 * else could write to. Digests are zero. ERR_REFUSED: something is not understood, or
 * too much. weak: a name of one of which only the beginning is known, else empty.
 */
err_t watched_find(struct prints *out, char weak[PRINT_NAME_MAX]) ERR_CHECK;

/* With everything frozen: has something been mounted or unmounted since? */
err_t watched_changed(const struct prints *before, bool *changed) ERR_CHECK;

#endif
