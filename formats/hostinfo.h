/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What must be known of a host to put it back: the image's header record, and a
 * part of the handoff to the writer. docs/image-format.md, "Header".
 */
#ifndef FORMATS_HOSTINFO_H
#define FORMATS_HOSTINFO_H

#include "base/err.h"
#include "base/range.h"
#include "formats/prints.h"
#include "formats/slot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOSTINFO_REPORT_PAGES 4u
#define HOSTINFO_NONCE_BYTES  16u
#define HOSTINFO_MAX	      (64u << 10) /* encoded bytes, at most */
#define HOSTINFO_NOTES_MAX    (1u << 20)

/* What the host trusts free pages to hold, so what must be there on resume. */
enum free_fill {
	FREE_FILL_NONE = 0,   /* anything */
	FREE_FILL_ZERO = 1,   /* init_on_free=1 */
	FREE_FILL_POISON = 2, /* page_poison=1: bytes 0xaa */
	FREE_FILL_SAVE = 3,   /* unknown: free pages are saved like others */
};

struct hostinfo {
	char release[65];  /* uname -r */
	char hostname[65]; /* uname -n */
	char build_id[41]; /* of the kernel, hex; may be empty */
	bool la57;	   /* 5-level paging */
	uint32_t cpus;	   /* online at the jump */
	uint32_t watchdog; /* seconds: timeout of the watchdog that it has running; 0: none */
	struct range_list memory;  /* the firmware's map, /sys/firmware/memmap, sorted */
	struct range_list windows; /* RAM that the writer ran in: not in the image; sorted */
	struct range main_window;  /* the one of them that holds the writer kernel */
	uint64_t jump_entry; /* physical address at which the host goes on; 0: not known yet */
	uint8_t writer_sha256[32]; /* of the writer that wrote, and must restore */
	enum free_fill free_fill;
	uint64_t vmcoreinfo; /* physical address of the ELF note; 0: none */
	uint32_t vmcoreinfo_bytes;
	uint64_t report[HOSTINFO_REPORT_PAGES]; /* physical addresses of the report's pages; 0: none
						 */
	uint8_t report_nonce[HOSTINFO_NONCE_BYTES];
	struct prints prints; /* of the filesystems that the host had mounted */

	/* Made of a dump, not of a host: there is nothing to resume. windows,
	 * main_window, jump_entry, writer_sha256, report and prints are then empty. */
	bool dump;
	struct slot_region notes; /* of the dump; length 0: none */
};

/* Into buf of HOSTINFO_MAX bytes; returns the length. */
size_t hostinfo_encode(const struct hostinfo *info, uint8_t *buf);

/*
 * ERR_CORRUPT for anything that a writer cannot have made (bad lengths, ranges
 * that overlap or are unsorted, a window outside RAM, missing required
 * records); ERR_UNSUPPORTED for an unknown record marked critical.
 */
err_t hostinfo_decode(const uint8_t *buf, size_t n, struct hostinfo *out) ERR_CHECK;

#endif
