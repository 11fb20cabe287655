/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session.h"

#include "base/util.h"

#include <string.h>
#include <unistd.h>

#define TRIES 5

static err_t settle(struct session *s, const char *reason)
{
	struct commit c;

	TRY(commit_load(&s->target, &c));
	if (memcmp(c.slot.nonce, s->nonce, sizeof(s->nonce)))
		return err_new(ERR_REFUSED, "%s holds another image by now", s->target.name);
	/* The writer has done it, and both slots say so. */
	if (c.slot.state == SLOT_RETIRED && c.twin_good)
		return commit_finish(&s->target, &c);
	return commit_retire(&s->target, &c, reason);
}

/*
 * It cannot be retired: is there, all the same, nothing that a boot would resume?
 * So when not even WRITING was written. What cannot be read, or may not be on the
 * medium yet, does not count.
 */
static bool nothing_to_resume(struct session *s)
{
	err_t e = target_flush(&s->target);
	struct commit c;
	bool nothing;

	if (e) {
		err_free(e);
		return false;
	}
	e = commit_load(&s->target, &c);
	nothing = !c.unreadable && !c.holds_image &&
		  (!e || err_kind(e) == ERR_FORMAT || err_kind(e) == ERR_CORRUPT);
	err_free(e);
	return nothing;
}

err_t session_settle(struct session *s, const char *reason)
{
	err_t e = NULL;

	if (!s->begun)
		return NULL;
	for (int i = 0; i < TRIES; i++) {
		err_free(e);
		e = settle(s, reason);
		if (!e) {
			s->begun = false;
			return NULL;
		}
		if (nothing_to_resume(s)) {
			err_free(e);
			s->begun = false;
			return NULL;
		}
		usleep(200000); /* a disk may still be coming back */
	}
	return err_context(e, "the image on %s could not be retired", s->target.name);
}
