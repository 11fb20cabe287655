/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/launch.h"

#include "base/log.h"
#include "formats/cpio.h"
#include "formats/handoff.h"
#include "image/targetrecord.h"
#include "jump/loader.h"
#include "keys/locked.h"

#include <stdio.h>
#include <string.h>

/* h is zeroed. */
static err_t fill_handoff(const struct target *t, const struct luksimage *luks,
			  const struct slot *slot, const struct hostinfo *info,
			  const uint8_t *image_key, struct handoff *h)
{
	h->mode = HANDOFF_RESTORE;
	h->threads = 1; /* of compressing ones there are none */
	memcpy(h->nonce, slot->nonce, sizeof(h->nonce));
	TRY(targetrecord_put(t, h));
	h->mailbox = loader_mailbox(info->main_window);
	h->trampoline = loader_trampoline(info->main_window);
	snprintf(h->boot_log, sizeof(h->boot_log), "%s", log_tail());
	h->host = *info;
	h->has_image_key = image_key != NULL;
	if (image_key)
		memcpy(h->image_key, image_key, sizeof(h->image_key));
	if (luks) {
		h->area_disk_bytes = luks->disk_bytes;
		h->area = *luks->area;
	}
	return NULL;
}

/* As a file in an archive of its own; the caller gives it back with locked_destroy. */
static err_t pack(const struct handoff *h, void **out, size_t *n)
{
	const char *name = HANDOFF_PATH + 1;
	void *encoded;
	size_t bytes;
	err_t e;

	TRY(locked_create(HANDOFF_MAX, &encoded));
	bytes = handoff_encode(h, encoded);
	*n = cpio_file_bytes(name, bytes);
	e = locked_create(*n, out);
	if (!e)
		cpio_encode_file(name, encoded, bytes, *out);
	locked_destroy(encoded, HANDOFF_MAX);
	return e;
}

/* The windows without the main one. */
static void low_windows(const struct hostinfo *info, struct range_list *low)
{
	low->count = 0;
	for (size_t i = 0; i < info->windows.count; i++) {
		if (info->windows.r[i].start != info->main_window.start)
			low->r[low->count++] = info->windows.r[i];
	}
}

err_t launch_load(const struct target *target, const struct luksimage *luks,
		  const struct slot *slot, const struct hostinfo *info, const uint8_t *image_key,
		  const struct writer_files *writer, const char *cmdline,
		  const struct tsc_sample *started)
{
	void *h = NULL, *packed = NULL;
	struct range_list low;
	struct loader_options options = {
		.writer = writer,
		.memory = &info->memory,
		.main = info->main_window,
		.low = &low,
		.la57 = info->la57,
		.cmdline = cmdline,
		.tsc_khz = tsc_khz(started),
		.preserve_context = false,
	};
	err_t e;

	TRY(locked_create(sizeof(struct handoff), &h));
	e = fill_handoff(target, luks, slot, info, image_key, h);
	if (!e)
		e = pack(h, &packed, &options.handoff_bytes);
	locked_destroy(h, sizeof(struct handoff));
	TRY(err_context(e, "making the handoff"));
	options.handoff = packed;
	low_windows(info, &low);
	e = loader_load(&options);
	locked_destroy(packed, options.handoff_bytes);
	return e;
}
