/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a kernel says of itself for dump tools: an ELF note whose text has lines
 * like "SIZE(page)=64" (kernel/vmcore_info.c,
 * Documentation/admin-guide/kdump/vmcoreinfo.rst).
 */
#ifndef MEMORY_VMCOREINFO_H
#define MEMORY_VMCOREINFO_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMCOREINFO_MAX 8192u

struct vmcoreinfo {
	char text[VMCOREINFO_MAX + 1];
};

/* From the note's bytes. ERR_FORMAT when it is no VMCOREINFO note. */
err_t vmcoreinfo_parse(const uint8_t *note, size_t n, struct vmcoreinfo *out) ERR_CHECK;

/*
 * The value of a line, by its whole name: "NUMBER(phys_base)", "SIZE(page)",
 * "SYMBOL(init_top_pgt)", "KERNELOFFSET". SYMBOL and KERNELOFFSET are hex, the
 * others decimal, as the kernel prints them. false when it is not there.
 */
bool vmcoreinfo_get(const struct vmcoreinfo *v, const char *name, int64_t *out);

/* The text of a line: "OSRELEASE", "BUILD-ID"; false when not there or too long. */
bool vmcoreinfo_text(const struct vmcoreinfo *v, const char *name, char *out, size_t room);

#endif
