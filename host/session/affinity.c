/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session/affinity.h"

void affinity_leave_first(struct affinity *a)
{
	cpu_set_t others;

	a->changed = 0;
	if (sched_getaffinity(0, sizeof(a->before), &a->before))
		return;
	others = a->before;
	CPU_CLR(0, &others);
	/* Only an optimization: where it cannot be done, so be it. */
	if (CPU_COUNT(&others))
		a->changed = !sched_setaffinity(0, sizeof(others), &others);
}

void affinity_restore(struct affinity *a)
{
	if (a->changed)
		sched_setaffinity(0, sizeof(a->before), &a->before);
	a->changed = 0;
}
