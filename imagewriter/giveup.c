/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "imagewriter/giveup.h"

#include "base/log.h"
#include "image/keywipe.h"

static void wipe_key(const struct target *t, const struct slot *slot)
{
	err_t e = keywipe(t, slot);

	if (e)
		log_warn("%s", err_text(e));
	err_free(e);
}

bool giveup(const struct target *t, struct commit *c, const struct slot *slot, bool valid_begun,
	    const char *reason)
{
	err_t e;

	if (!valid_begun)
		wipe_key(t, slot);
	e = commit_retire(t, c, reason);
	if (!e) {
		/* If VALID has not got onto the medium, no slot there tells where it is. */
		wipe_key(t, slot);
		return true;
	}
	log_warn("the image could not be retired: %s", err_text(e));
	err_free(e);
	return !valid_begun || commit_nothing_to_resume(t);
}
