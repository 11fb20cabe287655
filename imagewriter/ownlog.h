/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IMAGEWRITER_OWNLOG_H
#define IMAGEWRITER_OWNLOG_H

#include "base/err.h"

#include <stdint.h>

/* This kernel's ring of messages, by physical addresses. */
struct ownlog {
	uint64_t ring, bytes; /* a power of two */
	uint64_t head;	      /* of the word that counts the bytes ever written */
};

/*
 * From what the kernel tells dump tools of itself (/sys/kernel/vmcoreinfo). The
 * ring must be the one in the kernel's own image, as in the writer kernel
 * (CONFIG_LOG_BUF_SHIFT). ERR_FORMAT: not found.
 */
err_t ownlog_find(struct ownlog *out) ERR_CHECK;

#endif
