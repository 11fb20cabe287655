/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session/session.h"

#include "base/log.h"
#include "base/util.h"
#include "host/disks/keptsector.h"

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
	if (c.slot.state == SLOT_RETIRED && c.twin_good && !c.holds_image)
		return commit_finish(&s->target, &c);
	return commit_retire(&s->target, &c, reason);
}

/* Is the locator on the disk yet, or may it be? */
static bool locator_is_left(const struct session *s)
{
	struct commit c;

	if (!s->target.locator)
		return false;
	err_free(commit_load(&s->target, &c));
	return c.page0 == PAGE0_MARKED || c.page0 == PAGE0_UNREADABLE;
}

/* Then what failed came after it: the sealed key is left, or page 0 as it is. */
static bool is_retired(const struct session *s)
{
	struct commit c;
	err_t e = commit_load(&s->target, &c);
	bool retired = !e && c.slot.state == SLOT_RETIRED &&
		       !memcmp(c.slot.nonce, s->nonce, sizeof(s->nonce));

	err_free(e);
	return retired;
}

err_t session_settle(struct session *s, const char *reason)
{
	bool nothing = false;
	err_t e = NULL;

	if (!s->begun)
		return NULL;
	for (int i = 0; i < TRIES; i++) {
		err_free(e);
		e = settle(s, reason);
		nothing = !e || commit_nothing_to_resume(&s->target);
		if (nothing && !(e && is_retired(s)) && !locator_is_left(s))
			break;
		usleep(200000); /* a disk may still be coming back */
	}
	s->begun = !nothing;
	s->locator_left = locator_is_left(s);
	if (!nothing)
		return err_context(e, "the image on %s could not be retired", s->target.name);
	if (e && is_retired(s))
		log_warn("no boot resumes what is on %s, but it is not cleaned up: %s",
			 s->target.name, err_text(e));
	err_free(e);
	return NULL;
}

err_t session_keep_sector(struct session *s)
{
	struct keptsector k = {.pin = s->location.pin};
	err_t e;

	if (!s->locator_left)
		return NULL;
	s->locator_left = false;
	located_keep(&s->target, &k.kept);
	e = keptsector_save(NULL, &k);
	if (e)
		return err_context(e,
				   "%s: page 0 of the swap area could not be put back, and what it "
				   "held could not be kept: turn it off and make it anew (mkswap)",
				   s->location.name);
	log_warn("%s: page 0 of the swap area could not be put back. What it held is kept in "
		 "%s; the next dormouse command tries again. The area cannot be turned on before",
		 s->location.name, KEPTSECTOR_DIR);
	return NULL;
}
