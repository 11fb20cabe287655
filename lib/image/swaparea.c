/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/swaparea.h"

#include "base/util.h"

#include <string.h>

static err_t read_page(const struct target *t, uint8_t *page)
{
	return err_context(target_read(t, page, SWAPHEADER_BYTES, 0), "page 0");
}

err_t swaparea_read(const struct target *t, enum swapheader *out)
{
	CLEANUP_FREE uint8_t *page = target_buffer(SWAPHEADER_BYTES);

	if (!page)
		return err_new(ERR_NOMEM, "reading page 0");
	TRY(read_page(t, page));
	*out = swapheader_decode(page);
	return NULL;
}

/* The page is written whole, which is safe when torn: only its last sector is
 * changed, the others are given the content that they have. */
static err_t write_page(const struct target *t, uint8_t *page, enum swapheader to)
{
	swapheader_set(page, to);
	TRY(err_context(target_write(t, page, SWAPHEADER_BYTES, 0), "page 0"));
	/* Protects the signature: before VALID, or before the host runs. */
	return target_flush(t);
}

err_t swaparea_set(const struct target *t, enum swapheader to)
{
	CLEANUP_FREE uint8_t *page = target_buffer(2 * SWAPHEADER_BYTES);

	if (!page)
		return err_new(ERR_NOMEM, "writing page 0");
	TRY(read_page(t, page));
	if (swapheader_decode(page) == SWAPHEADER_NONE)
		return err_new(ERR_REFUSED, "%s is not a swap area any more", t->name);
	if (swapheader_decode(page) == to)
		return target_flush(t); /* it may have come from the device's cache */
	TRY(write_page(t, page, to));
	TRY(read_page(t, page + SWAPHEADER_BYTES));
	if (memcmp(page, page + SWAPHEADER_BYTES, SWAPHEADER_BYTES))
		return err_new(ERR_IO, "page 0 of %s reads back other than it was written",
			       t->name);
	return NULL;
}
