/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the fuzz targets share. Each is a function that takes any bytes; libFuzzer
 * changes them so that they reach code not reached before. A target fails by what the
 * sanitizers find, and by fuzz_check.
 *
 * A checksum keeps changed bytes from ever getting further. So each target hands the
 * bytes over as they are, and once more with their checksums made right: the
 * product's code is the same as in use.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n);

#define fuzz_check(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/*
 * Did it work? An error of a decoder is freed, and must be one that tells of
 * bytes: others would have a caller believe that the machine has failed.
 */
static inline bool fuzz_fine(err_t e)
{
	bool fine = !e;

	fuzz_check(!e || err_kind(e) == ERR_FORMAT || err_kind(e) == ERR_UNSUPPORTED ||
		   err_kind(e) == ERR_CORRUPT || err_kind(e) == ERR_AUTH);
	err_free(e);
	return fine;
}

/* A copy of exactly n bytes: the sanitizer then sees the first one too many. */
static inline uint8_t *fuzz_copy(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	fuzz_check(copy);
	if (n)
		memcpy(copy, p, n);
	return copy;
}

/* Take n bytes off the front of the input; zeros for those that it lacks. */
static inline void fuzz_take(const uint8_t **in, size_t *left, void *out, size_t n)
{
	size_t part = n < *left ? n : *left;

	memset(out, 0, n);
	if (part)
		memcpy(out, *in, part);
	*in += part;
	*left -= part;
}

static inline uint32_t fuzz_get32(const uint8_t *p)
{
	le32_t v;

	memcpy(&v, p, sizeof(v));
	return le32_get(v);
}

static inline void fuzz_put32(uint8_t *p, uint32_t x)
{
	le32_t v = le32_of(x);

	memcpy(p, &v, sizeof(v));
}

static inline void fuzz_put64(uint8_t *p, uint64_t x)
{
	le64_t v = le64_of(x);

	memcpy(p, &v, sizeof(v));
}

static inline uint64_t fuzz_get64(const uint8_t *p)
{
	le64_t v;

	memcpy(&v, p, sizeof(v));
	return le64_get(v);
}

/* Length and checksum of a record block (docs/image-format.md, "Record blocks"). */
static inline void fuzz_fix_block(uint8_t *block, size_t n)
{
	if (n < 24)
		return;
	fuzz_put32(block + 12, (uint32_t)n);
	fuzz_put32(block + n - 4, crc32c(0, block, n - 4));
}

#endif
