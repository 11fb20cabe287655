/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the writer tells the host: left in locked pages of the host's own
 * process, found by the physical addresses in struct hostinfo.
 */
#ifndef FORMATS_REPORT_H
#define FORMATS_REPORT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_NONCE_BYTES 16u
#define REPORT_BYTES	   (4u * 4096u) /* HOSTINFO_REPORT_PAGES pages */
#define REPORT_TEXT_MAX	   512u
#define REPORT_LOG_MAX	   2048u

/*
 * What the writer's kernel logged last is copied here by the way back from a
 * panic (jump/trampoline.h), when nobody can make a checksum any more: bytes of
 * its ring of messages (kernel/printk/printk_ringbuffer.c), the last page's own.
 */
#define REPORT_KERNEL_LOG_AT	(3u * 4096u + 16u)
#define REPORT_KERNEL_LOG_BYTES 4072u

enum report_result {
	REPORT_NONE = 0,     /* nobody wrote one */
	REPORT_RETURNED = 1, /* written and come back, as asked */
	REPORT_RESUMED = 2,  /* put back from the image */
	REPORT_FAILED = 3,   /* gave up before the image was valid; text says why */
	REPORT_ABORTED = 4,  /* a key was pressed */
	REPORT_CRASHED = 5,  /* left there in advance: whoever reads it knows that the writer
			      * came back without a word */
};

/* Of a failure: what the host can do about it. */
enum report_why {
	REPORT_WHY_OTHER = 0,
	REPORT_WHY_FULL = 1, /* the target has no room: another one may have */
};

struct report {
	enum report_result result;
	enum report_why why;		 /* with REPORT_FAILED */
	char text[REPORT_TEXT_MAX];	 /* reason of a failure */
	char log[REPORT_LOG_MAX];	 /* last lines of the writer's log */
	char kernel_log[REPORT_LOG_MAX]; /* of its kernel's, after a panic; decode only */
	uint64_t image_bytes;		 /* written or read */
	uint64_t data_pages;
	uint32_t milliseconds; /* in the writer's program */
};

/* The empty report that the host leaves in its pages before the jump. */
void report_prepare(uint8_t buf[REPORT_BYTES], const uint8_t nonce[REPORT_NONCE_BYTES]);

/* Is this such a page set, with this nonce? The writer asks before it writes. */
bool report_matches(const uint8_t buf[REPORT_BYTES], const uint8_t nonce[REPORT_NONCE_BYTES]);

void report_encode(const struct report *r, const uint8_t nonce[REPORT_NONCE_BYTES],
		   uint8_t buf[REPORT_BYTES]);

/* ERR_CORRUPT when nonce or checksum are wrong. A prepared one gives REPORT_NONE. */
err_t report_decode(const uint8_t buf[REPORT_BYTES], const uint8_t nonce[REPORT_NONCE_BYTES],
		    struct report *out) ERR_CHECK;

#endif
