/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/stale.h"

#include "base/log.h"
#include "host/disks/held.h"
#include "image/commit.h"

#include <stdio.h>

/* Nothing there that a boot could resume: no superblock, or damaged ones only. */
static bool says_nothing(err_t e, const struct commit *c)
{
	return (err_kind(e) == ERR_FORMAT || err_kind(e) == ERR_CORRUPT) && !c->unreadable;
}

static err_t retire(const struct target *t, bool *untouched)
{
	struct commit c;
	err_t e;

	if (t->bytes < SLOT_DATA_START)
		return NULL;
	e = commit_load(t, &c);
	if (e && says_nothing(e, &c)) {
		err_free(e);
		/* A locator without an image is put back. */
		return t->locator ? commit_finish(t, &c) : NULL;
	}
	if (e)
		return e;
	if (!c.holds_image && !c.unreadable)
		return commit_finish(t, &c);
	*untouched = false;
	/* What cannot be read may say VALID; writing it is known to help. */
	TRY(err_context(commit_retire(t, &c, "superseded by a new hibernation"),
			"retiring the old image on %s", t->name));
	log_info("%s held an image of an earlier session, which is discarded now", t->name);
	return NULL;
}

static void look(const struct target *t, bool *image, char *why, size_t n)
{
	struct commit c;
	err_t e;

	if (t->bytes < SLOT_DATA_START) {
		snprintf(why, n, "too small for one");
		return;
	}
	e = commit_load(t, &c);
	*image = e ? !says_nothing(e, &c) : c.holds_image || c.unreadable;
	snprintf(why, n, "%s", e ? err_text(e) : slot_state_name(c.slot.state));
	err_free(e);
}

err_t stale_look(const char *name, bool *image, char *why, size_t n)
{
	struct held h;

	*image = false;
	snprintf(why, n, "in use as swap");
	TRY(held_open(name, false, &h));
	for (unsigned int i = 0; i < h.count && !*image; i++)
		look(&h.list[i], image, why, n);
	if (!*image && *h.damaged)
		snprintf(why, n, "%s", h.damaged);
	held_close(&h);
	return NULL;
}

static err_t not_looked_at(const char *name, err_t e)
{
	log_warn("the target %s is not looked at: %s", name, err_text(e));
	err_free(e);
	return NULL;
}

/* Somebody uses it, for something else as it seems: it is not written to. */
static err_t check_used(const char *name, err_t in_use)
{
	char why[256];
	bool image;
	err_t e = stale_look(name, &image, why, sizeof(why));

	if (e && err_kind(e) == ERR_REFUSED) /* it cannot be a target, nor hold an image */
		return not_looked_at(name, err_first(e, in_use));
	if (e || !image) {
		err_free(in_use);
		return e;
	}
	return err_context(in_use, "%s may hold an image (%s), which cannot be discarded", name,
			   why);
}

/* held_open opens it only if it is marked. */
static err_t refuse_marked(const char *name, err_t e)
{
	return err_context(e,
			   "an image may be in %s, and cannot be discarded (if there is none, "
			   "remove the token dormouse-image from its LUKS header)",
			   name);
}

err_t stale_retire(const char *name, bool *untouched)
{
	struct held h;
	err_t e = held_open(name, true, &h);

	if (e && err_kind(e) == ERR_INVALID)
		return not_looked_at(name, e);
	if (e && err_kind(e) == ERR_REFUSED)
		return config_luks_device(name) ? refuse_marked(name, e) : check_used(name, e);
	/* Nothing can be resumed there; it is the area's user who must know. */
	if (!e && *h.damaged)
		log_warn("%s", h.damaged);
	for (unsigned int i = 0; !e && i < h.count; i++)
		e = retire(&h.list[i], untouched);
	if (!e && h.volume.marked)
		e = luksvolume_mark(&h.volume, false);
	held_close(&h);
	return e;
}

err_t stale_retire_all(const struct config *config, bool *untouched)
{
	for (uint32_t i = 0; i < config->target_count; i++)
		TRY(stale_retire(config->targets[i], untouched));
	return NULL;
}
