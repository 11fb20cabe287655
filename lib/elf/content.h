/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes that a dump has of a machine's memory, by physical address. */
#ifndef ELF_CONTENT_H
#define ELF_CONTENT_H

#include "base/err.h"
#include "elf/dump.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is any byte of [start, end) in the file? */
bool content_any(const struct elfdump *d, uint64_t start, uint64_t end);

/* [address, address + n): zeros where the file has nothing. ERR_CORRUPT when the
 * file has become shorter since it was opened. From any thread. */
err_t content_read(const struct elfdump *d, uint64_t address, uint8_t *buf, size_t n) ERR_CHECK;

#endif
