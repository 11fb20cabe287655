/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/tools.h"

#include "base/log.h"
#include "base/util.h"
#include "elf/sink.h"
#include "host/imagefile.h"
#include "host/watch.h"
#include "image/reader.h"

#include <stdio.h>

struct unpacking {
	const struct tool_options *o;
	struct imagefile image;
	struct elfsink *sink;
	struct watch watch;
	unsigned int damaged;
};

static void tell_damage(void *arg, err_t e)
{
	struct unpacking *u = arg;

	u->damaged++;
	log_warn("%s", err_text(e));
}

static err_t restore(struct unpacking *u)
{
	struct memory_sink sink = elfsink_interface(u->sink);
	struct image_reader_options o = {
		.threads = u->o->threads,
		.tick = watch_tick,
		.tick_arg = &u->watch,
		.damaged = u->o->keep_going ? tell_damage : NULL,
		.damaged_arg = u,
	};
	err_t e;

	/* What was free is a hole in the dump, whatever the host has trusted in. */
	u->image.host.free_fill = FREE_FILL_NONE;
	watch_init(&u->watch, "unpacking");
	e = image_restore(&u->image.target, &u->image.commit.slot, &u->image.host, &sink, &o);
	watch_end(&u->watch);
	return e;
}

static err_t unpack(struct unpacking *u)
{
	struct imagefile *image = &u->image;

	TRY(imagefile_open_image(image, u->o->from));
	TRY(elfsink_create(u->o->to, u->o->force, &image->host.memory, image->notes,
			   image->notes_bytes, u->o->threads, &u->sink));
	TRY(err_context(restore(u), "%s", u->o->from));
	TRY(watch_check());
	TRY(elfsink_finish(u->sink));
	if (u->damaged)
		return err_new(ERR_CORRUPT, "%s: %u parts of it are damaged and left out",
			       u->o->from, u->damaged);
	return NULL;
}

err_t unpack_run(const struct tool_options *o)
{
	CLEANUP_FREE struct unpacking *u = calloc(1, sizeof(*u));
	err_t e;

	if (!u)
		return err_new(ERR_NOMEM, "unpacking");
	u->o = o;
	watch_signals();
	e = unpack(u);
	elfsink_destroy(u->sink);
	imagefile_close(&u->image);
	return e;
}
