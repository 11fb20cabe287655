/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The notes of a dump: contents of PT_NOTE segments, one after the other. */
#ifndef ELF_NOTES_H
#define ELF_NOTES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct note {
	const uint8_t *bytes; /* header, name and content: what vmcoreinfo_parse takes */
	size_t n;
	const uint8_t *name; /* namesz bytes, with the NUL that belongs to it */
	uint32_t namesz, type;
};

/*
 * The note at *at, which is moved behind it; *more is false when there is none
 * (fewer zeros than a note's header may end the notes). ERR_CORRUPT when it is longer than
 * what is there.
 */
err_t notes_next(const uint8_t *notes, size_t n, size_t *at, struct note *out, bool *more)
	ERR_CHECK;

bool notes_is_named(const struct note *note, const char *name);

/* Walk them all; *cpus: the number of NT_PRSTATUS notes named CORE. */
err_t notes_check(const uint8_t *notes, size_t n, uint32_t *cpus) ERR_CHECK;

#endif
