/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jump/trampoline.h"

#include "base/util.h"
#include "jump/control.h"
#include "jump/kexec.h"

#include <string.h>

extern const uint8_t trampoline_start[], trampoline_end[];

err_t trampoline_load(uint64_t at, uint64_t entry)
{
	CLEANUP_FREE uint8_t *page = aligned_alloc(PAGE_BYTES, TRAMPOLINE_BYTES);
	struct kexec_segment segment = {
		.buf = page,
		.bufsz = TRAMPOLINE_BYTES,
		.mem = (void *)at,
		.memsz = TRAMPOLINE_BYTES,
	};

	if (!page)
		return err_new(ERR_NOMEM, "loading the way back");
	memset(page, 0, TRAMPOLINE_BYTES);
	memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	memcpy(page + TRAMPOLINE_ENTRY_AT, &entry, sizeof(entry));
	return err_context(kexec_load_segments(at, &segment, 1, 0), "loading the way back");
}
