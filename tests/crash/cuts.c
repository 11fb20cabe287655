/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Power cuts: before, in and after every write and flush of whole histories. */
#include "run.h"

#include "base/util.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A letter is a step: history.h. Each image lies where the one before it lay. */
static const struct {
	const char *name, *script;
} histories[] = {
	{"return", "bwvr bwvr"},
	{"resume", "bwvsjr bwvsjr"},
	{"failed resume", "bwvf sjr bwvsf fsjr"},
	{"discard", "bwvr bwvfr bwvsr bwvsjr"},
	{"writer gives up", "bwr bwvsjr bwr b bwvr"},
	{"retired twice", "bwvrr bwvsjrr"},
	{"mixed", "bwvsjr bwvr bwvfsjr bwr bwvfr bwvsjr"},
	{"turned on", "bwvox bwvox bwvr bwvsox bwvoxo bwvfox bwv"},
	{"turned on, nothing there", "o bwox bwvro bwvsjrox bwv"},
};

void cuts_run(struct run *r)
{
	struct disk *d = disk_create(r->located);
	static struct history h; /* too large for the stack */

	for (size_t i = 0; i < ARRAY_LEN(histories); i++) {
		err_t e;

		if (!r->swap && strchr(histories[i].script, STEP_TURN_ON))
			continue;
		disk_reset(d, swap_blank(r->swap));
		history_init(&h, d);
		e = history_run(&h, histories[i].script);
		if (e)
			run_result(r, err_text(e), "%s", histories[i].name);
		err_free(e);
		run_cuts(r, histories[i].name, &h, 0);
	}
	disk_destroy(d);
}
