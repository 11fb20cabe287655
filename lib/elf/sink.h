/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An ELF memory dump to be written, as dump.h reads it: ELF header, program
 * headers right behind it (makedumpfile wants them there), notes, memory. One
 * PT_NOTE, and one PT_LOAD for each range of RAM, in ascending order, p_filesz equal to
 * p_memsz; memory starts at a multiple of 4096. What was not placed, and
 * zeros, are holes of the file, so that it takes no room for them.
 *
 * It is written under a name of its own in the same directory, PATH.partial,
 * and gets its name when it is whole: elfsink_finish.
 */
#ifndef ELF_SINK_H
#define ELF_SINK_H

#include "base/err.h"
#include "base/range.h"
#include "memory/physical.h"
#include "memory/source.h"

#include <stddef.h>
#include <stdint.h>

struct elfsink;

/*
 * memory: sorted; only whole pages of RAM are in the file. notes: copied. Mode
 * 0600. An existing PATH is ERR_REFUSED unless replace; PATH.partial, left over
 * from an earlier run, is replaced.
 */
err_t elfsink_create(const char *path, bool replace, const struct range_list *memory,
		     const uint8_t *notes, size_t notes_bytes, unsigned int threads,
		     struct elfsink **out) ERR_CHECK;

struct memory_sink elfsink_interface(struct elfsink *s);

/* What has been placed so far, to be read; holes are zero. Valid while s is. */
struct physical elfsink_physical(struct elfsink *s);

/* One page, at an aligned address in RAM, by itself; ERR_INVALID elsewhere. */
err_t elfsink_put(struct elfsink *s, uint64_t address, const uint8_t *page) ERR_CHECK;

/* Other notes of the same length, in place of those given at first. */
err_t elfsink_put_notes(struct elfsink *s, const uint8_t *notes) ERR_CHECK;

/* Whole: flushed to the medium (fsync) and renamed. */
err_t elfsink_finish(struct elfsink *s) ERR_CHECK;

/* s may be NULL. Without elfsink_finish, what was written is removed. */
void elfsink_destroy(struct elfsink *s);

#endif
