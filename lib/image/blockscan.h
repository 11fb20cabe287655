/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a block's pages are: the runs of its chunk. */
#ifndef IMAGE_BLOCKSCAN_H
#define IMAGE_BLOCKSCAN_H

#include "formats/index.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Look at the pages of a block (only those of class PAGE_SAVE) and set
 * chunk->runs, run_count and data_pages; run_count is 0 when nothing of the
 * block goes into the image.
 */
void blockscan(const uint8_t classes[CHUNK_PAGES], const uint8_t *pages, struct chunk *chunk);

/* The data pages of a block as one piece: where they are, if they lie together, else in
 * bounce. */
const uint8_t *blockscan_gather(const struct chunk *c, const uint8_t *pages, uint8_t *bounce);

/* Does any page have to be looked at? */
bool blockscan_wanted(const uint8_t classes[CHUNK_PAGES]);

#endif
