/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of `dormouse hibernate`: what its steps share. */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include "base/err.h"
#include "config/config.h"
#include "formats/hostinfo.h"
#include "formats/slot.h"
#include "host/affinity.h"
#include "host/freeze.h"
#include "image/commit.h"
#include "jump/tsc.h"
#include "jump/writer_files.h"
#include "keys/seal.h"
#include "target/target.h"

#include <stdbool.h>
#include <stdint.h>

struct session {
	const struct config *config;
	struct writer_files writer;
	struct hostinfo host;
	struct tsc_sample started;
	struct affinity affinity;	/* while memory is given back, until loaded */
	char writer_cmdline[1024];
	struct freeze freeze;
	struct target target;
	uint8_t *report;	    /* locked pages, HOSTINFO_REPORT_PAGES of them */
	uint8_t nonce[NONCE_BYTES]; /* of the image of this attempt */
	bool sealed;		    /* encrypt it, for: */
	struct seal_recipient recipient; /* wiped by session_close */
	uint32_t cipher;		 /* id; 0: what the CPU is fastest with */
	uint8_t *keyslots;		 /* the copy that goes into the image; owned, NULL: none */
	size_t keyslots_bytes;
	bool loaded;		    /* the writer is, or may be */
	bool begun;		    /* WRITING is, or may be, on the target */
};

/*
 * session_open.c: writer and preflight, then /dev/snapshot, the target (to
 * ourselves), report pages. Stale images on all configured targets are retired. *untouched
 * is false once something may have been changed.
 */
err_t session_open(struct session *s, const struct config *config, bool *untouched) ERR_CHECK;
void session_close(struct session *s);

/* session_load.c: fresh nonces and an empty report, then the writer with its
 * handoff, ready for the jump. */
err_t session_load(struct session *s) ERR_CHECK;

/* session_load.c: have the report's pages moved since? The writer would not find them. */
err_t session_report_moved(const struct session *s, bool *moved) ERR_CHECK;

/*
 * session_settle.c: whatever happened, see to it that the target holds no image that
 * could be resumed: RETIRED in both slots, read back from the medium; or nothing was begun
 * there. Tried several times.
 */
err_t session_settle(struct session *s, const char *reason) ERR_CHECK;

#endif
