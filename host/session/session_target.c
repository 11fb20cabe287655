/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session/session.h"

#include "base/log.h"
#include "base/util.h"
#include "host/checks/imagesize.h"
#include "host/checks/preflight.h"
#include "host/disks/keptsector.h"
#include "host/disks/swapslots.h"
#include "image/located.h"

#include <stdio.h>
#include <string.h>

static err_t reserve_slots(struct session *s)
{
	struct location *l = &s->location;
	uint64_t available = 0;

	extentlist_deinit(&l->slots);
	TRY(err_context(swapslots_choose(s->freeze.snapshot, l->dev, l->swap_page, &available),
			"%s", l->name));
	/* Only now the kernel lets a whole disk be written to that is swap. */
	keptsector_put_back(NULL);
	TRY(swapslots_reserve(s->freeze.snapshot, min_u64(s->worst, swapslots_room(available)),
			      &l->slots));
	TRY(location_map(l, false));
	l->room = located_bytes(l->extents.list, l->extents.count);
	log_info("%s: %llu MiB reserved, in %u pieces", l->name,
		 (unsigned long long)(l->room / MIB), l->extents.count);
	return NULL;
}

/* Marked already: a boot that asks for its passphrase for nothing does no harm. */
static err_t reserve_volume(struct session *s)
{
	TRY(luksvolume_open(location_device(&s->location), &s->volume));
	TRY(luksvolume_mark(&s->volume, true));
	TRY(target_open(&s->target, s->volume.path, true, true));
	snprintf(s->target.name, sizeof(s->target.name), "%s", s->location.name);
	return NULL;
}

/* Only what is settled loses its mark. */
void session_give_back_volume(struct session *s)
{
	err_t e = s->volume.marked && !s->begun ? luksvolume_mark(&s->volume, false) : NULL;

	if (e)
		log_warn("the next boot asks for the passphrase of %s for nothing: %s",
			 s->location.name, err_text(e));
	err_free(e);
	luksvolume_close(&s->volume);
}

err_t session_reserve(struct session *s)
{
	struct location *l = &s->location;

	if (l->kind == LOCATION_LUKS)
		return reserve_volume(s);
	if (!location_is_located(l))
		return target_open(&s->target, l->name, true, true);
	if (location_is_swap(l))
		TRY(reserve_slots(s));
	if (!located_map_place(l->extents.list, l->extents.count))
		return err_new(ERR_NOSPACE, "%s has no room for an image", l->name);
	return NULL;
}

void session_place(const struct session *s, struct handoff *h)
{
	const struct location *l = &s->location;

	h->device_bytes = l->disk.disk_bytes;
	h->map_place = located_map_place(l->extents.list, l->extents.count);
	snprintf(h->device_name, sizeof(h->device_name), "%s", l->name);
}

/* Does the writer look where the map will be? The disk is that of the pin. */
static bool same_map(const struct location *l, uint64_t place)
{
	return located_map_place(l->extents.list, l->extents.count) == place;
}

err_t session_lay(struct session *s, bool *moved)
{
	struct location *l = &s->location;
	uint64_t before = located_map_place(l->extents.list, l->extents.count);
	uint64_t locator;

	*moved = false;
	if (!location_is_located(l))
		return NULL;
	TRY(location_map(l, true));
	TRY(location_check_pin(l, &s->pins));
	*moved = !same_map(l, before);
	if (*moved)
		return err_new(ERR_IO, "%s keeps being moved on its disk", l->name);
	locator = location_is_swap(l) ? l->pin.byte : 0;
	target_close(&s->target);
	TRY(located_create(l->disk.disk_name, l->extents.list, l->extents.count, locator, s->nonce,
			   &s->target));
	snprintf(s->target.name, sizeof(s->target.name), "%s", l->name);
	return NULL;
}

/* What one preflight has found is the session's from now on. */
void session_take_target(struct session *s, struct preflight *p)
{
	s->location = p->location;
	s->candidate = p->candidate;
	s->pins = p->pins;
	s->worst = imagesize_worst(p);
	memset(&p->location, 0, sizeof(p->location));
}

static err_t choose_next(struct session *s, struct preflight *p)
{
	TRY(preflight_init(p, s->config, NULL, NULL));
	TRY(preflight_choose_target(p, s->candidate + 1));
	session_take_target(s, p);
	return NULL;
}

err_t session_next_target(struct session *s)
{
	CLEANUP_FREE struct preflight *p = calloc(1, sizeof(*p));
	err_t e;

	if (!config_candidate(s->config, s->candidate + 1))
		return err_new(ERR_NOSPACE, "there is no other target");
	if (!p)
		return err_new(ERR_NOMEM, "no memory");
	target_close(&s->target);
	session_give_back_volume(s);
	location_deinit(&s->location);
	e = choose_next(s, p);
	preflight_deinit(p);
	if (e)
		return e;
	/* What was reserved is given back, and the next area can be chosen. */
	freeze_deinit(&s->freeze);
	TRY(freeze_init(&s->freeze));
	log_info("the next target is %s", s->location.name);
	return session_reserve(s);
}
