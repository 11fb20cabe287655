/* SPDX-License-Identifier: GPL-3.0-or-later */
/* This machine and its kernel, as an image must know them. */
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

#include "base/err.h"
#include "formats/hostinfo.h"

/*
 * Fill in what does not depend on the writer: release, hostname, build id,
 * paging mode, CPUs, memory map, vmcoreinfo and free_fill. The rest is zero. A
 * build id or vmcoreinfo that cannot be had is left empty.
 */
err_t machine_describe(struct hostinfo *out) ERR_CHECK;

/* The GNU build id (note type 3) out of n bytes of ELF notes, as hex; empty
 * when there is none. */
void machine_build_id(const uint8_t *notes, size_t n, char out[41]);

#endif
