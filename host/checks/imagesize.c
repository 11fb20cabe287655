/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/checks/imagesize.h"

#include "base/util.h"

#include <string.h>

/* What an image has besides pages: slots, header, index, keys. */
#define OVERHEAD_BYTES (8 * MIB)

/* As the writer decides it (imagewriter/hibernate.c, select_pages), as far as it is known. */
static bool saves_free(const struct hostinfo *host)
{
	return host->free_fill == FREE_FILL_SAVE || !host->vmcoreinfo;
}

static uint64_t all_ram(const struct preflight *p)
{
	return max_u64(range_bytes(&p->host.memory, RANGE_RAM), p->mem_total);
}

static uint64_t not_free(const struct preflight *p)
{
	return all_ram(p) - min_u64(p->mem_free, all_ram(p));
}

uint64_t imagesize_used(const struct preflight *p)
{
	return saves_free(&p->host) ? all_ram(p) : not_free(p);
}

uint64_t imagesize_worst(const struct preflight *p)
{
	uint64_t used = imagesize_used(p);

	return used + used / 64 + OVERHEAD_BYTES;
}

uint64_t imagesize_likely(const struct preflight *p)
{
	const char *codec = p->config->codec;
	uint64_t worst = imagesize_worst(p);

	return !strcmp(codec, "none") || !strcmp(codec, "auto") ? worst : worst / 2;
}

/* Pages of zeros are only noted, whatever the codec; and free pages may be nothing else. */
uint64_t imagesize_hardly(const struct preflight *p)
{
	return not_free(p) / (strcmp(p->config->codec, "none") ? 4 : 2);
}

uint64_t imagesize_least(const struct preflight *p)
{
	return imagesize_used(p) / 64 + OVERHEAD_BYTES;
}
