/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Page 0 of a swap area: of all that it holds only the signature, in its last ten
 * bytes, is ours to change. docs/image-format.md, "Swap areas".
 */
#ifndef FORMATS_SWAPHEADER_H
#define FORMATS_SWAPHEADER_H

#include <stdint.h>

#define SWAPHEADER_BYTES 4096u

enum swapheader {
	SWAPHEADER_NONE,   /* no swap area, or one of another kind */
	SWAPHEADER_SWAP,   /* can be turned on */
	SWAPHEADER_MARKED, /* an image is in it: blkid says swsuspend */
};

enum swapheader swapheader_decode(const uint8_t page[SWAPHEADER_BYTES]);

/* Put in the signature of SWAP or MARKED; all else is kept. */
void swapheader_set(uint8_t page[SWAPHEADER_BYTES], enum swapheader to);

#endif
