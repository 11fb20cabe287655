/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/tools/imagefile.h"

#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "image/located.h"
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

/* A locator is the end of its page, and a head the beginning of one. */
static err_t open_target(const char *path, uint64_t at, struct target *out)
{
	if (at == IMAGEFILE_WHOLE)
		return target_open(out, path, false, false);
	if (at % PAGE_BYTES == LOCATED_LOCATOR_AT)
		return located_open_locator(path, false, at, out);
	return located_open_head(path, false, at, out);
}

err_t imagefile_open(struct imagefile *f, const char *path, uint64_t at)
{
	*f = (struct imagefile){.target.fd = -1};
	TRY(open_target(path, at, &f->target));
	return err_context(open_slots(f), "%s", path);
}

static err_t read_header(struct imagefile *f, const struct unseal_means *means)
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
	if (slot_is_sealed(slot) || means->secret || means->key_file)
		TRY(unseal(&f->target, slot, means, &f->unsealed));
	TRY(image_read_header(&f->target, slot, f->unsealed.keys, &f->host));
	if (!f->host.dump || !f->host.notes.length)
		return NULL;
	if (slot_is_sealed(slot) && !f->unsealed.keys)
		return NULL;
	return image_read_notes(&f->target, slot, f->unsealed.keys, &f->host, &f->notes,
				&f->notes_bytes);
}

err_t imagefile_read(struct imagefile *f, const struct tool_options *o, bool ask)
{
	const struct unseal_means means = {o->secret, o->key_file, ask};

	return err_context(read_header(f, &means), "%s", f->target.name);
}

err_t imagefile_open_image(struct imagefile *f, const struct tool_options *o)
{
	TRY(imagefile_open(f, o->from, o->at));
	return imagefile_read(f, o, true);
}

void imagefile_close(struct imagefile *f)
{
	free(f->notes);
	f->notes = NULL;
	unseal_forget(&f->unsealed);
	target_close(&f->target);
}
