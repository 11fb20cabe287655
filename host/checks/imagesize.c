/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/checks/imagesize.h"

#include "base/util.h"

/* What an image has besides pages: slots, header, index, keys. */
#define OVERHEAD_BYTES (8 * MIB)

uint64_t imagesize_used(const struct preflight *p)
{
	uint64_t ram = max_u64(range_bytes(&p->host.memory, RANGE_RAM), p->mem_total);

	return ram - min_u64(p->mem_free, ram);
}

uint64_t imagesize_worst(const struct preflight *p)
{
	uint64_t used = imagesize_used(p);

	return used + used / 64 + OVERHEAD_BYTES;
}

uint64_t imagesize_least(const struct preflight *p)
{
	return imagesize_used(p) / 64 + OVERHEAD_BYTES;
}
