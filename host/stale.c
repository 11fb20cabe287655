/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/stale.h"

#include "base/log.h"
#include "base/util.h"
#include "image/commit.h"

#include <stdio.h>
#include <string.h>

/* Nothing there that a boot could resume: no superblock, or damaged ones only. */
static bool says_nothing(err_t e, const struct commit *c)
{
	return (err_kind(e) == ERR_FORMAT || err_kind(e) == ERR_CORRUPT) && !c->unreadable;
}

err_t stale_retire(const struct target *t, bool *untouched)
{
	struct commit c;
	err_t e;

	if (t->bytes < SLOT_DATA_START)
		return NULL;
	e = commit_load(t, &c);
	if (e && says_nothing(e, &c)) {
		err_free(e);
		return NULL;
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

err_t stale_look(const char *device, bool *image, char *why, size_t n)
{
	struct target t;
	struct commit c;
	err_t e;

	*image = false;
	TRY(target_open(&t, device, false, false));
	if (t.bytes < SLOT_DATA_START) {
		target_close(&t);
		snprintf(why, n, "too small for one");
		return NULL;
	}
	e = commit_load(&t, &c);
	target_close(&t);
	*image = e ? !says_nothing(e, &c) : c.holds_image || c.unreadable;
	snprintf(why, n, "%s", e ? err_text(e) : slot_state_name(c.slot.state));
	err_free(e);
	return NULL;
}

/* Somebody uses it, for something else as it seems: it is not written to. */
static err_t check_used(const char *device, err_t in_use)
{
	char why[256];
	bool image;
	err_t e = stale_look(device, &image, why, sizeof(why));

	if (e || !image) {
		err_free(in_use);
		return e;
	}
	return err_context(in_use, "%s may hold an image (%s), which cannot be discarded", device,
			   why);
}

static err_t retire_other(const char *device, bool *untouched)
{
	struct target t;
	err_t e = target_open(&t, device, true, true);

	if (e && err_kind(e) == ERR_INVALID) {
		log_warn("the target %s is not looked at: %s", device, err_text(e));
		err_free(e);
		return NULL;
	}
	if (e && err_kind(e) == ERR_REFUSED)
		return check_used(device, e);
	if (e)
		return e;
	e = stale_retire(&t, untouched);
	target_close(&t);
	return e;
}

err_t stale_retire_others(const struct config *config, const struct target *used, bool *untouched)
{
	for (uint32_t i = 0; i < config->target_count; i++) {
		const char *device = config->targets[i];

		if (!strcmp(device, used->name) || target_same_device(device, used->name))
			continue;
		TRY(retire_other(device, untouched));
	}
	return NULL;
}
