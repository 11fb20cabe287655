/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/sealwriter.h"

#include "base/crc32c.h"
#include "base/util.h"

#include <string.h>

static err_t append(struct staging *staging, const uint8_t *p, size_t n, struct slot_region *region)
{
	region->length = (uint32_t)n;
	region->crc32c = crc32c(0, p, n);
	return staging_append(staging, p, n, true, &region->offset);
}

err_t sealwriter_notes(struct sealer *s, struct staging *staging, const uint8_t *notes, size_t n,
		       struct slot_region *region)
{
	CLEANUP_FREE uint8_t *buf = malloc(n + CIPHER_TAG_BYTES);

	if (!buf)
		return err_new(ERR_NOMEM, "encrypting the notes");
	memcpy(buf, notes, n);
	TRY(sealing_encrypt(s, SEALING_NOTES, 0, buf, n, buf + n));
	return append(staging, buf, n + CIPHER_TAG_BYTES, region);
}

err_t sealwriter_append(const struct image_seal *seal, struct staging *staging,
			struct slot_sealing *sealing)
{
	if (seal->keyslots_bytes > SLOT_KEYSLOTS_MAX)
		return err_new(ERR_INVALID, "keyslots of %zu bytes", seal->keyslots_bytes);
	if (seal->keyslots_bytes)
		TRY(append(staging, seal->keyslots, seal->keyslots_bytes, &sealing->keyslots));
	return append(staging, seal->block, KEYBLOCK_BYTES, &sealing->key);
}

void sealwriter_note(const struct image_seal *seal, const struct slot_sealing *sealing,
		     struct slot *slot)
{
	slot->features_incompat |= SLOT_INCOMPAT_SEALED;
	slot->sealing = *sealing;
	slot->sealing.cipher = cipher_id(seal->cipher);
	slot->sealing.flags = seal->authenticated ? SLOT_SEALED_AUTHENTICATED : 0;
}
