/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where this process runs. Memory that it gives back goes to its CPU's list of
 * free pages first, which can hold some 100 MiB and which nobody but the kernel
 * can tell from memory in use: they would be in the image. The jump takes all
 * CPUs but the first offline and empties their lists. So what is to be given
 * back is given back on another CPU than the first.
 */
#ifndef HOST_AFFINITY_H
#define HOST_AFFINITY_H

#include <sched.h>

struct affinity {
	cpu_set_t before;
	int changed;
};

/* Away from CPU 0, where there is another one. */
void affinity_leave_first(struct affinity *a);

/* As before; also before CPUs go offline, or the kernel complains. */
void affinity_restore(struct affinity *a);

#endif
