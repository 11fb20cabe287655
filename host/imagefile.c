/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/imagefile.h"

#include "base/log.h"
#include "base/text.h"
#include "host/unseal.h"
#include "image/reader.h"

#include <stdlib.h>

static err_t open_slots(struct imagefile *f)
{
	if (f->target.bytes < SLOT_DATA_START)
		return err_new(ERR_FORMAT, "too small to hold an image");
	TRY(commit_load(&f->target, &f->commit));
	if (!f->commit.twin_good)
		log_warn("%s: one of the two superblocks is damaged", f->target.name);
	return NULL;
}

err_t imagefile_open(struct imagefile *f, const char *path)
{
	*f = (struct imagefile){.target.fd = -1};
	TRY(target_open(&f->target, path, false, false));
	return err_context(open_slots(f), "%s", path);
}

static err_t read_header(struct imagefile *f, const char *secret)
{
	const struct slot *slot = &f->commit.slot;
	char reason[SLOT_REASON_MAX];

	if (!slot_holds_image(slot)) {
		text_printable(reason, sizeof(reason), slot->reason);
		return err_new(ERR_FORMAT, "there is no image on it: the superblock says %s%s%s",
			       slot_state_name(slot->state), *reason ? ", because: " : "", reason);
	}
	if (commit_is_dead(&f->commit))
		return err_new(ERR_FORMAT, "there is no image on it any more: the swap area was "
					   "turned on by another boot, or made, since");
	if (secret)
		TRY(unseal(&f->target, slot, secret, &f->keys));
	TRY(image_read_header(&f->target, slot, f->keys, &f->host));
	if (!f->host.dump || !f->host.notes.length)
		return NULL;
	if (slot_is_sealed(slot) && !f->keys)
		return NULL;
	return image_read_notes(&f->target, slot, f->keys, &f->host, &f->notes, &f->notes_bytes);
}

err_t imagefile_read(struct imagefile *f, const char *secret)
{
	return err_context(read_header(f, secret), "%s", f->target.name);
}

err_t imagefile_open_image(struct imagefile *f, const char *path, const char *secret)
{
	TRY(imagefile_open(f, path));
	return imagefile_read(f, secret);
}

void imagefile_close(struct imagefile *f)
{
	free(f->notes);
	f->notes = NULL;
	unseal_forget(f->keys);
	f->keys = NULL;
	target_close(&f->target);
}
