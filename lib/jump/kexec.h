/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bare system call, with its errors in words. */
#ifndef JUMP_KEXEC_H
#define JUMP_KEXEC_H

#include "base/err.h"

#include <linux/kexec.h>
#include <stddef.h>
#include <stdint.h>

/* kexec_load(2) for x86_64; flags: KEXEC_PRESERVE_CONTEXT or 0. No segments: unload. */
err_t kexec_load_segments(uint64_t entry, const struct kexec_segment *segments, size_t count,
			  unsigned long flags) ERR_CHECK;

#endif
