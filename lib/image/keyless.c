/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/keyless.h"

#include "base/util.h"
#include "formats/directory.h"
#include "formats/index.h"
#include "image/parts.h"
#include "image/sealing.h"

#include <stdlib.h>

static err_t check_segment(const struct target *t, const struct slot *slot,
			   const uint8_t *directory, uint32_t number)
{
	CLEANUP_FREE uint8_t *buf = NULL;
	struct index_place place;
	struct slot_region region;

	TRY(directory_place(directory, number, true, slot->image_end, &place));
	region = (struct slot_region){place.offset, place.length, place.crc32c};
	return err_context(
		parts_read_region(t, slot, &region, INDEX_SEGMENT_MAX, "a segment", &buf),
		"index segment %u", number);
}

static err_t check_index(const struct target *t, const struct slot *slot)
{
	CLEANUP_FREE uint8_t *directory = NULL;
	uint32_t segments;

	TRY(parts_read_region(t, slot, &slot->directory, DIRECTORY_MAX, "the directory",
			      &directory));
	TRY(sealing_check_digest(directory, slot->directory.length, slot->sealing.directory_sha256,
				 "the directory of the image"));
	TRY(directory_decode(directory, slot->directory.length, slot->nonce, true, &segments));
	for (uint32_t i = 0; i < segments; i++)
		TRY(check_segment(t, slot, directory, i));
	return NULL;
}

err_t keyless_check(const struct target *t, const struct slot *slot)
{
	CLEANUP_FREE uint8_t *keyslots = NULL;
	uint8_t block[KEYBLOCK_BYTES];
	size_t n;

	TRY(image_read_sealed_key(t, slot, block));
	TRY(image_read_keyslots(t, slot, &keyslots, &n));
	return check_index(t, slot);
}
