/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configured targets besides the one that is written to. */
#include "host/checks/check.h"

#include "host/disks/stale.h"
#include "target/target.h"

#include <stdio.h>
#include <string.h>

/* As stale_retire_all will see it: a LUKS partition is opened only if an image may be in it. */
static enum finding_level level_of(const char *name, err_t e)
{
	return config_luks_device(name) && err_kind(e) == ERR_REFUSED ? FINDING_REFUSE
								      : FINDING_WARN;
}

void check_target_others(const struct preflight *p, struct finding *out)
{
	const struct config *c = p->config;
	unsigned int others = 0;

	finding_set(out, FINDING_OK, "no other target is configured");
	for (uint32_t i = 0; i < c->target_count; i++) {
		const char *name = c->targets[i];
		char why[256];
		bool image;
		err_t e;

		if (!strcmp(name, p->location.name) || target_same_device(name, p->location.name))
			continue;
		e = stale_look(name, &image, why, sizeof(why));
		if (e) {
			finding_set_err(out, level_of(name, e),
					err_context(e, "the target %s cannot be looked at", name));
			return;
		}
		if (image) {
			finding_set(out, FINDING_WARN,
				    "%s holds an image, or may (%s); it will be discarded", name,
				    why);
			return;
		}
		finding_set(out, FINDING_OK, "%u other targets, without an image", ++others);
	}
}
