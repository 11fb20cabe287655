/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/swapheader.h"

#include <string.h>

#define SIGNATURE_AT 4086

/* The second is one that blkid knows as a suspended swap area, with LABEL and UUID,
 * and that neither the kernel nor uswsusp acts on. */
static const uint8_t signatures[][SWAPHEADER_BYTES - SIGNATURE_AT] = {
	[SWAPHEADER_SWAP] = "SWAPSPACE2",
	[SWAPHEADER_MARKED] = "LINHIB0001",
};

enum swapheader swapheader_decode(const uint8_t page[SWAPHEADER_BYTES])
{
	for (enum swapheader k = SWAPHEADER_SWAP; k <= SWAPHEADER_MARKED; k++)
		if (!memcmp(page + SIGNATURE_AT, signatures[k], sizeof(signatures[k])))
			return k;
	return SWAPHEADER_NONE;
}

void swapheader_set(uint8_t page[SWAPHEADER_BYTES], enum swapheader to)
{
	memcpy(page + SIGNATURE_AT, signatures[to], sizeof(signatures[to]));
}
