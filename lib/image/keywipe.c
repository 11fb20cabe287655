/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/keywipe.h"

#include "base/util.h"
#include "formats/keyblock.h"

#include <stdlib.h>
#include <string.h>

/* Of a slot that is RETIRED nothing was checked of where its parts lie. */
static bool place_ok(const struct target *t, const struct slot_region *r)
{
	return r->length == KEYBLOCK_BYTES && r->offset % PAGE_BYTES == 0 &&
	       r->offset >= SLOT_DATA_START && t->bytes >= KEYBLOCK_BYTES &&
	       r->offset <= t->bytes - KEYBLOCK_BYTES;
}

static err_t look(const struct target *t, const struct slot *slot, uint8_t *buf, bool *left)
{
	const struct slot_region *place = &slot->sealing.key;

	*left = false;
	if (!slot_is_sealed(slot) || !place_ok(t, place))
		return NULL;
	TRY(err_context(target_read(t, buf, KEYBLOCK_BYTES, place->offset), "the sealed key"));
	*left = keyblock_is_left(buf, slot->nonce);
	return NULL;
}

err_t keywipe_is_left(const struct target *t, const struct slot *slot, bool *left)
{
	CLEANUP_FREE uint8_t *buf = target_buffer(KEYBLOCK_BYTES);

	return buf ? look(t, slot, buf, left) : err_new(ERR_NOMEM, "looking for the sealed key");
}

err_t keywipe(const struct target *t, const struct slot *slot)
{
	static const uint8_t zero[KEYBLOCK_BYTES];
	CLEANUP_FREE uint8_t *buf = target_buffer(KEYBLOCK_BYTES);
	bool left;

	if (!buf)
		return err_new(ERR_NOMEM, "wiping the sealed key");
	TRY(look(t, slot, buf, &left));
	if (!left)
		return NULL;
	memset(buf, 0, KEYBLOCK_BYTES);
	TRY(err_context(target_write(t, buf, KEYBLOCK_BYTES, slot->sealing.key.offset),
			"wiping the sealed key"));
	/* Protects the zeros: a key in the device's cache is on the medium still. */
	TRY(target_flush(t));
	TRY(err_context(target_read(t, buf, KEYBLOCK_BYTES, slot->sealing.key.offset),
			"the sealed key"));
	if (memcmp(buf, zero, KEYBLOCK_BYTES))
		return err_new(ERR_IO, "the sealed key is on %s still after it was wiped", t->name);
	return NULL;
}
