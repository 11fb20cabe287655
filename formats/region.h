/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A region as it lies on disk (docs/image-format.md, "Superblock"): of the
 * superblock, and of the header's record DUMP. */
#ifndef FORMATS_REGION_H
#define FORMATS_REGION_H

#include "base/bytes.h"
#include "formats/slot.h"

#include <assert.h>

struct region_disk {
	le64_t offset;
	le32_t length;
	le32_t crc32c;
};

static_assert(sizeof(struct region_disk) == 16, "Superblock: region");

static inline struct region_disk region_encode(const struct slot_region *r)
{
	return (struct region_disk){le64_of(r->offset), le32_of(r->length), le32_of(r->crc32c)};
}

static inline struct slot_region region_decode(const struct region_disk *d)
{
	return (struct slot_region){le64_get(d->offset), le32_get(d->length), le32_get(d->crc32c)};
}

#endif
