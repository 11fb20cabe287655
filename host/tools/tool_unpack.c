/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/tools/tools.h"

#include "base/log.h"
#include "base/util.h"
#include "elf/sink.h"
#include "host/tools/hostview.h"
#include "host/tools/imagefile.h"
#include "host/tools/watch.h"
#include "image/reader.h"
#include "image/sealing.h"

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
		.keys = u->image.unsealed.keys,
	};
	err_t e;

	/* What was free is a hole in the dump, whatever the host has trusted in. */
	u->image.host.free_fill = FREE_FILL_NONE;
	watch_init(&u->watch, "unpacking");
	e = image_restore(&u->image.target, &u->image.commit.slot, &u->image.host, &sink, &o);
	watch_end(&u->watch);
	return e;
}

/* Of a host, not of a dump; without it the dump is still worth having. */
static err_t finish_host(struct unpacking *u)
{
	err_t e = hostview_finish(&u->image.host, u->sink);

	if (!e || err_kind(e) != ERR_FORMAT)
		return e;
	log_warn("what the host had in the windows (see inspect) is not in the dump where it was: "
		 "%s",
		 err_text(e));
	err_free(e);
	return NULL;
}

/* An empty dump with room for the notes. */
static err_t create(struct unpacking *u)
{
	const struct imagefile *image = &u->image;
	size_t n = image->host.dump ? image->notes_bytes : hostview_notes_bytes(&image->host);
	CLEANUP_FREE uint8_t *empty = calloc(1, n ? n : 1);

	if (!empty)
		return err_new(ERR_NOMEM, "unpacking");
	return elfsink_create(u->o->to, u->o->force, &image->host.memory,
			      image->host.dump && n ? image->notes : empty, n, u->o->threads,
			      &u->sink);
}

/* Who reads the dump should know whose it may be. */
static void say_vouched(const struct unpacking *u)
{
	const struct slot *slot = &u->image.commit.slot;

	if (slot_is_sealed(slot))
		log_info("%s: %s", u->o->from, unseal_vouches(&u->image.unsealed, slot));
}

static err_t unpack(struct unpacking *u)
{
	TRY(imagefile_open_image(&u->image, u->o));
	TRY(err_context(sealing_need_keys(u->image.unsealed.keys, &u->image.commit.slot), "%s",
			u->o->from));
	TRY(create(u));
	TRY(err_context(restore(u), "%s", u->o->from));
	if (!u->image.host.dump)
		TRY(finish_host(u));
	TRY(watch_check());
	TRY(elfsink_finish(u->sink));
	say_vouched(u);
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
