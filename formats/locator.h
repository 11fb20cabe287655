/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The locator: while an image lies in reserved slots of a swap area, it is the last sector
 * of swap page 0. It says where the extent map is, and keeps the area from being turned on.
 * docs/image-format.md, "Locator".
 */
#ifndef FORMATS_LOCATOR_H
#define FORMATS_LOCATOR_H

#include "base/err.h"
#include "formats/slot.h"

#include <stdbool.h>
#include <stdint.h>

#define LOCATOR_BYTES 512u
#define LOCATOR_AT    3584u /* of its page, which is a page of the bare disk too */

struct locator {
	uint8_t nonce[NONCE_BYTES]; /* of the image */
	uint64_t map;		    /* disk place of the extent map's first block */
};

void locator_encode(const struct locator *l, uint8_t out[LOCATOR_BYTES]);

/*
 * ERR_FORMAT: no locator here, or none any more, since the area was turned on;
 * ERR_CORRUPT: one, but damaged; ERR_UNSUPPORTED: of a newer version. On error *out is
 * unchanged.
 */
err_t locator_decode(const uint8_t in[LOCATOR_BYTES], struct locator *out) ERR_CHECK;

/*
 * swapon of another system puts the signature of a swap area over a locator's, and leaves the
 * rest: with LINHIB0001 it would be that locator again. true: the sector was such a rest, and
 * is zero now but for the signature; false: it is as it was.
 */
bool locator_clear(uint8_t sector[LOCATOR_BYTES]);

/* Can a locator be there? 0 is no place, it says that there is none. */
bool locator_place_ok(uint64_t place);

#endif
