/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "swap.h"

#include "formats/locator.h"
#include "formats/slot.h"
#include "view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_BYTES 10u

/* As another system's swapon has left the area once: a locator, but for its signature. */
static void leave_locator(uint8_t *page0)
{
	const struct locator l = {.nonce = "of long ago", .map = VIEW_MAP_AT};

	locator_encode(&l, page0 + LOCATOR_AT);
	swapheader_set(page0, SWAPHEADER_SWAP);
}

const uint8_t *swap_blank(bool swap)
{
	static const uint8_t empty[DISK_BYTES];
	static uint8_t area[DISK_BYTES];

	memset(area + 1024, 1, 1); /* the header's version */
	memset(area + 1028, 0x3f, 1);
	memcpy(area + 1036, "an UUID of swap, and a label....", 32);
	leave_locator(area);
	return swap ? area : empty;
}

enum swapheader swap_kind(const struct disk *d)
{
	return swapheader_decode(d->view);
}

static bool was_locator(const uint8_t *page0)
{
	uint8_t page[SWAPHEADER_BYTES];
	struct locator l;
	err_t e;

	memcpy(page, page0, sizeof(page));
	swapheader_set(page, SWAPHEADER_MARKED);
	e = locator_decode(page + LOCATOR_AT, &l);
	err_free(e);
	return !e;
}

/* The rest of a locator is zero once there has been an image. */
static bool is_cleared(const uint8_t *page0)
{
	static const uint8_t zeros[LOCATOR_BYTES - SIGNATURE_BYTES];

	return !memcmp(page0 + LOCATOR_AT, zeros, sizeof(zeros));
}

bool swap_kept(const struct disk *d)
{
	const uint8_t *want = swap_blank(swap_kind(d) != SWAPHEADER_NONE);

	if (!memcmp(d->view, want, SWAPHEADER_BYTES - SIGNATURE_BYTES))
		return true;
	return !memcmp(d->view, want, LOCATOR_AT) &&
	       (is_cleared(d->view) || (d->located && was_locator(d->view)));
}

static void write_page(struct disk *d, uint64_t at, unsigned int number)
{
	uint8_t *page = target_buffer(SWAPHEADER_BYTES);
	err_t e;

	assert(page);
	for (unsigned int i = 0; i < SWAPHEADER_BYTES; i++)
		page[i] = (uint8_t)(i * 7 + number + at / SWAPHEADER_BYTES);
	e = target_write(&d->target, page, SWAPHEADER_BYTES, at);
	assert(!e);
	free(page);
}

void swap_turn_on(struct disk *d, unsigned int number)
{
	uint8_t *page = target_buffer(SWAPHEADER_BYTES);
	err_t e;

	assert(page);
	memcpy(page, d->view, SWAPHEADER_BYTES);
	swapheader_set(page, SWAPHEADER_SWAP);
	e = target_write(&d->target, page, SWAPHEADER_BYTES, 0);
	assert(!e);
	e = target_flush(&d->target);
	assert(!e);
	free(page);
	if (number & 1)
		write_page(d, SLOT_A_OFFSET, number);
	if (number & 2)
		write_page(d, SLOT_B_OFFSET, number);
	if (number & 8)
		write_page(d, VIEW_MAP_AT, number);
	for (unsigned int i = 0; number & 4 && i < 6; i++)
		write_page(d, SLOT_DATA_START + (i * 5 + number) % 20 * SWAPHEADER_BYTES, number);
}
