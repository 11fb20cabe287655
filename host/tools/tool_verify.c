/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/tools/tools.h"

#include "base/util.h"
#include "host/tools/imagefile.h"
#include "host/tools/watch.h"
#include "image/keyless.h"
#include "image/reader.h"

#include <stdio.h>

/* Sealed, and not opened. */
static err_t verify_keyless(const struct imagefile *image, const struct tool_options *o)
{
	TRY(err_context(keyless_check(&image->target, &image->commit.slot), "%s", o->from));
	printf("%s: sealed. Without a passphrase (--key-file) or its secret (--secret) only "
	       "header, directory and the index's "
	       "checksums could be checked, and they are right; not its memory, nor who made it\n",
	       o->from);
	return NULL;
}

static err_t verify(struct imagefile *image, const struct tool_options *o)
{
	struct watch watch;
	struct image_reader_options options = {
		.threads = o->threads, .tick = watch_tick, .tick_arg = &watch};
	const struct slot *slot = &image->commit.slot;
	err_t e;

	TRY(imagefile_open_image(image, o));
	if (slot_is_sealed(slot) && !image->unsealed.keys)
		return verify_keyless(image, o);
	options.keys = image->unsealed.keys;
	watch_init(&watch, "verifying");
	e = image_verify(&image->target, slot, &image->host, &options);
	watch_end(&watch);
	TRY(err_context(e, "%s", o->from));
	printf("%s: whole, %llu MiB of memory%s%s\n", o->from,
	       (unsigned long long)(slot->raw_bytes / MIB), slot_is_sealed(slot) ? "; " : "",
	       slot_is_sealed(slot) ? unseal_vouches(&image->unsealed, slot) : "");
	return NULL;
}

err_t verify_run(const struct tool_options *o)
{
	CLEANUP_FREE struct imagefile *image = calloc(1, sizeof(*image));
	err_t e;

	if (!image)
		return err_new(ERR_NOMEM, "verifying");
	watch_signals();
	e = verify(image, o);
	imagefile_close(image);
	return e;
}
