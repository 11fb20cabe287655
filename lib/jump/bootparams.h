/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The zero page of the x86 boot protocol, as the writer kernel gets it. */
#ifndef JUMP_BOOTPARAMS_H
#define JUMP_BOOTPARAMS_H

#include "base/err.h"
#include "base/range.h"

#include <stdint.h>

struct bootparams_options {
	const struct range_list *memory; /* the firmware's map */
	const struct range_list *low;	 /* RAM that the writer may use below 640 KiB */
	struct range main;		 /* and in its main window */
	uint64_t cmdline;		 /* physical address */
	uint64_t initrd;		 /* physical address */
	uint64_t initrd_bytes;
};

/*
 * Into one page. Its e820 says RAM of nothing but the windows, and keeps the
 * firmware's other entries; what is RAM to the host becomes reserved, so that no
 * device is put there. The screen's state and the ACPI root come from this
 * kernel's own zero page.
 */
err_t bootparams_make(const struct bootparams_options *options, uint8_t out[4096]) ERR_CHECK;

#endif
