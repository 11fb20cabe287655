/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of `dormouse hibernate`: what its steps share. */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include "base/err.h"
#include "config/config.h"
#include "config/pins.h"
#include "formats/handoff.h"
#include "formats/hostinfo.h"
#include "formats/slot.h"
#include "host/checks/preflight.h"
#include "host/disks/location.h"
#include "host/disks/luksvolume.h"
#include "host/freeze.h"
#include "host/session/affinity.h"
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
	struct affinity affinity; /* while memory is given back, until loaded */
	char writer_cmdline[1024];
	struct freeze freeze;
	struct pins pins;
	uint32_t candidate;	  /* which of the targets is tried: config_candidate() */
	struct location location; /* where that is */
	struct luksvolume volume; /* if it is a LUKS partition: opened */
	uint64_t worst;		  /* bytes of the largest image that there can be */
	struct target target; /* a device: open from session_reserve on, others: from session_lay */
	uint8_t *report;      /* locked pages, HOSTINFO_REPORT_PAGES of them */
	uint8_t nonce[NONCE_BYTES];	 /* of the image of this attempt */
	bool sealed;			 /* encrypt it, for: */
	struct seal_recipient recipient; /* wiped by session_close */
	uint32_t cipher;		 /* id; 0: what the CPU is fastest with */
	uint8_t *keyslots;		 /* the copy that goes into the image; owned, NULL: none */
	size_t keyslots_bytes;
	bool loaded;	   /* the writer is, or may be */
	bool begun;	   /* WRITING is, or may be, on the target */
	bool locator_left; /* its page 0, of swap, has the locator yet, or may have it */
	bool full;	   /* the writer came back because the target was full */
};

/*
 * session_open.c: writer and preflight, then /dev/snapshot, report pages. Stale images on
 * all configured targets are retired, then the first target that fits is reserved. *untouched
 * is false once something may have been changed.
 */
err_t session_open(struct session *s, const struct config *config, bool *untouched) ERR_CHECK;
void session_close(struct session *s);

/*
 * session_target.c, in this order. What preflight has chosen is taken over; the target is made
 * ours: a device opened, swap slots reserved; the handoff is told where an extent map
 * will be; and with everything frozen it is asked anew where the target lies, and the map
 * is written. *moved: it is elsewhere, and the writer must be loaded again; nothing was
 * written.
 */
void session_take_target(struct session *s, struct preflight *p);
err_t session_reserve(struct session *s) ERR_CHECK;
void session_place(const struct session *s, struct handoff *h);
err_t session_lay(struct session *s, bool *moved) ERR_CHECK;

/* session_target.c: the next one that fits, reserved; slots of the last one are given back,
 * whose image must be settled. ERR_NOSPACE, ERR_REFUSED: there is none. */
err_t session_next_target(struct session *s) ERR_CHECK;

/* session_target.c: after the target is closed; nothing where there is no volume. */
void session_give_back_volume(struct session *s);

/* session_keys.c: for whom the image is sealed, unless the configuration says encrypt = no. */
err_t session_keys(struct session *s) ERR_CHECK;

/* session_load.c: fresh nonces and an empty report, then the writer with its
 * handoff, ready for the jump. */
err_t session_load(struct session *s) ERR_CHECK;

/* session_load.c: have the report's pages moved since? The writer would not find them. */
err_t session_report_moved(const struct session *s, bool *moved) ERR_CHECK;

/*
 * session_settle.c: whatever happened, see to it that the target holds no image that
 * could be resumed: RETIRED in both slots, read back from the medium; or nothing was begun
 * there. Tried several times. In page 0 of a swap area the locator may be left all the
 * same (locator_left).
 */
err_t session_settle(struct session *s, const char *reason) ERR_CHECK;

/* session_settle.c: if so, keep what is to be there in a file, before the slots are given
 * back. Not while filesystems are frozen. An error: it is lost; the text says what to do. */
err_t session_keep_sector(struct session *s) ERR_CHECK;

#endif
