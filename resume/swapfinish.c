/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/swapfinish.h"

#include "base/log.h"

void swapfinish(const struct target *t, struct commit *c)
{
	bool dead = commit_is_dead(c);
	enum commit_page0 before = c->page0;
	err_t e = commit_finish(t, c);

	if (dead)
		log_warn("%s: there was an image, but the swap area was turned on by another boot, "
			 "or made, since: it is not resumed",
			 t->name);
	if (e)
		log_warn("%s: %s", t->name, err_text(e));
	else if (c->page0 != before)
		log_info("%s: can be turned on as swap again", t->name);
	err_free(e);
}
