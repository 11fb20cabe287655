/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/parts.h"

#include "base/crc32c.h"
#include "base/util.h"
#include "image/sealing.h"

#include <stdlib.h>
#include <string.h>

err_t parts_read_region(const struct target *t, const struct slot *slot,
			const struct slot_region *region, size_t max, const char *what,
			uint8_t **out)
{
	CLEANUP_FREE uint8_t *buf = NULL;
	uint64_t whole = align_up(region->length, PAGE_BYTES);

	/* Cut off: damage, and no failure of the device when something is read there. */
	if (slot->image_end > t->bytes)
		return err_new(ERR_CORRUPT, "the image ends at byte %llu, %s at %llu",
			       (unsigned long long)slot->image_end, t->name,
			       (unsigned long long)t->bytes);
	if (!region->length || region->length > max || region->offset % PAGE_BYTES ||
	    region->offset < SLOT_DATA_START || region->offset > slot->image_end ||
	    whole > slot->image_end - region->offset)
		return err_new(ERR_CORRUPT, "%s of the image lies outside of it", what);
	buf = target_buffer(whole);
	if (!buf)
		return err_new(ERR_NOMEM, "%s of the image", what);
	TRY(err_context(target_read(t, buf, whole, region->offset), "%s of the image", what));
	if (crc32c(0, buf, region->length) != region->crc32c)
		return err_new(ERR_CORRUPT, "%s of the image: checksum differs", what);
	*out = buf;
	buf = NULL;
	return NULL;
}

/* A superblock says that this is a header: "no header here" would mean that there
 * is no image. */
static err_t ours_or_corrupt(err_t e)
{
	if (!e || err_kind(e) != ERR_FORMAT)
		return e;
	err_free(e);
	return err_new(ERR_CORRUPT, "the header of the image is none");
}

err_t image_read_header(const struct target *t, const struct slot *slot,
			const struct image_keys *keys, struct hostinfo *info)
{
	CLEANUP_FREE uint8_t *buf = NULL;
	struct hostinfo found;

	TRY(sealing_check_tag(keys, slot));
	TRY(parts_read_region(t, slot, &slot->header, HOSTINFO_MAX, "the header", &buf));
	if (slot_is_sealed(slot))
		TRY(sealing_check_digest(buf, slot->header.length, slot->sealing.header_sha256,
					 "the header of the image"));
	TRY(ours_or_corrupt(hostinfo_decode(buf, slot->header.length, &found)));
	if (!found.dump && !found.jump_entry)
		return err_new(ERR_CORRUPT, "the image has no jump-back entry");
	if (!prints_complete(&found.prints))
		return err_new(ERR_CORRUPT, "the image has a fingerprint that was never taken");
	*info = found;
	return NULL;
}

/* In a sealed image the tag follows the notes, and is counted with them. */
static err_t decrypt_notes(const struct slot *slot, const struct image_keys *keys, uint8_t *buf,
			   size_t *n)
{
	struct sealer s;
	err_t e;

	TRY(sealing_need_keys(keys, slot));
	TRY(sealing_check_tag(keys, slot));
	if (*n <= CIPHER_TAG_BYTES)
		return err_new(ERR_CORRUPT, "the notes of the image are too short");
	*n -= CIPHER_TAG_BYTES;
	e = sealing_open(&s, slot->sealing.cipher, slot->nonce, keys);
	if (!e)
		e = sealing_decrypt(&s, SEALING_NOTES, 0, buf, *n, buf + *n);
	sealing_close(&s);
	return err_context(e, "the notes of the image");
}

err_t image_read_notes(const struct target *t, const struct slot *slot,
		       const struct image_keys *keys, const struct hostinfo *info, uint8_t **notes,
		       size_t *n)
{
	CLEANUP_FREE uint8_t *buf = NULL;
	size_t bytes = info->notes.length;

	TRY(parts_read_region(t, slot, &info->notes, HOSTINFO_NOTES_MAX, "the notes", &buf));
	if (slot_is_sealed(slot))
		TRY(decrypt_notes(slot, keys, buf, &bytes));
	*notes = buf;
	*n = bytes;
	buf = NULL;
	return NULL;
}

static err_t check_sealed(const struct slot *slot)
{
	return slot_is_sealed(slot) ? NULL : err_new(ERR_AUTH, "the image is not sealed");
}

err_t image_read_sealed_key(const struct target *t, const struct slot *slot,
			    uint8_t block[KEYBLOCK_BYTES])
{
	CLEANUP_FREE uint8_t *buf = NULL;

	TRY(check_sealed(slot));
	TRY(parts_read_region(t, slot, &slot->sealing.key, KEYBLOCK_BYTES, "the sealed key", &buf));
	memcpy(block, buf, KEYBLOCK_BYTES);
	return NULL;
}

err_t image_read_keyslots(const struct target *t, const struct slot *slot, uint8_t **keyslots,
			  size_t *n)
{
	TRY(check_sealed(slot));
	if (slot->sealing.keyslots.length)
		TRY(parts_read_region(t, slot, &slot->sealing.keyslots, SLOT_KEYSLOTS_MAX,
				      "the keyslots", keyslots));
	*n = slot->sealing.keyslots.length;
	return NULL;
}
