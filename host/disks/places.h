/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a filesystem keeps what changes when it is mounted and written. */
#ifndef HOST_PLACES_H
#define HOST_PLACES_H

#include "base/err.h"
#include "formats/prints.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A place on a device of the filesystem. */
struct place {
	enum print_kind kind;
	dev_t dev;
	uint64_t offset, length; /* whole sectors */
	uint32_t mark_at;	 /* 16 bytes that stay; PRINT_NO_MARK: none known */
};

typedef err_t (*place_fn)(const struct place *p, void *ctx);

/*
 * The places of a filesystem of this type on dev, which is open as path; its
 * other devices are found by themselves. ERR_REFUSED: nothing is known of where such a
 * filesystem writes. ERR_CORRUPT: it is not what the type says.
 */
err_t places_find(const char *type, dev_t dev, const char *path, place_fn fn, void *ctx) ERR_CHECK;

/* Is only its beginning known? A write can then go unseen. */
bool places_weak(const char *type);

#endif
