/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef JUMP_CPUFEATURE_H
#define JUMP_CPUFEATURE_H

#include <stdbool.h>

/* Does this kernel run in 5-level paging? CR4 cannot be read here; the flag
 * la57 in /proc/cpuinfo is cleared by the kernel when it does not
 * (arch/x86/kernel/cpu/common.c, early_identify_cpu). */
bool cpufeature_la57_on(void);

/* Are there 1 GiB pages (pdpe1gb), which our page tables use? */
bool cpufeature_giant_pages(void);

#endif
