/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the loader tells the writer: a file "/handoff" in the writer's initramfs.
 * Made and read by the same version of the project, but checked all the same.
 */
#ifndef FORMATS_HANDOFF_H
#define FORMATS_HANDOFF_H

#include "base/err.h"
#include "base/encryptedarea.h"
#include "base/extent.h"
#include "formats/hostinfo.h"
#include "formats/slot.h"

#include <stddef.h>
#include <stdint.h>

#define HANDOFF_MAX	    (128u << 10)
#define HANDOFF_PATH	    "/handoff"
#define HANDOFF_KEYSLOTS    "/keyslots" /* a file beside it: goes into a sealed image as it is */
#define HANDOFF_KEY_BYTES   32u
#define HANDOFF_SEED_BYTES  64u
#define HANDOFF_LOG_MAX	    2048u
#define HANDOFF_THREADS_MAX 64u
#define HANDOFF_EXTENTS_MAX 512u
#define HANDOFF_CODEC_AUTO  UINT32_MAX /* the writer picks one by measuring */

enum handoff_mode {
	HANDOFF_HIBERNATE = 1, /* write the host's memory to the target */
	HANDOFF_RESTORE = 2,   /* read it from there and go on in it */
};

enum handoff_then {
	HANDOFF_POWEROFF = 1,
	HANDOFF_REBOOT = 2,
	HANDOFF_RETURN = 3,
};

enum handoff_verify {
	HANDOFF_VERIFY_INDEX = 1, /* read header and index back before VALID */
	HANDOFF_VERIFY_FULL = 2,  /* the chunks too */
};

/* Who can open the image that is to be written. */
struct handoff_seal {
	uint8_t public_key[HANDOFF_KEY_BYTES];
	uint8_t auth_key[HANDOFF_KEY_BYTES]; /* where authenticated, else zero */
	bool authenticated;
	uint32_t cipher; /* id, cipher/cipher.h; 0: the writer picks one */
};

/* It may hold secrets (seal, seed, image_key): who has one wipes it. */
struct handoff {
	enum handoff_mode mode;
	enum handoff_then then;	    /* HANDOFF_HIBERNATE only */
	enum handoff_verify verify; /* HANDOFF_HIBERNATE only */
	uint32_t time_limit;	    /* HANDOFF_HIBERNATE only: seconds until VALID; 0: none */
	uint8_t nonce[NONCE_BYTES]; /* of the image; it is already in the target's slots,
				     * and the device is known by that alone */
	uint64_t device_bytes;	    /* size of the device, a second check */
	char device_name[64];	    /* as the loader called it; for messages only */
	uint64_t map_place;	    /* of the target's extent map on the device; 0: it is these: */
	uint32_t extent_count;
	struct extent extents[HANDOFF_EXTENTS_MAX];
	uint64_t area_disk_bytes;   /* 0: the target is on the device as it is. Else the device
				     * is what dm-crypt makes of an area of a disk, of this size */
	struct encrypted_area area; /* holds a key */
	uint32_t codec;		    /* id, codec/codec.h; or HANDOFF_CODEC_AUTO */
	uint32_t codec_level;	    /* 0: the codec has none */
	uint32_t threads;	    /* that may compress: the window has room for so many */
	uint64_t mailbox;	    /* physical address of the stub's page in the main window */
	uint64_t trampoline; /* physical address of room for the way back, in the main window */
	char boot_log[HANDOFF_LOG_MAX]; /* HANDOFF_RESTORE: last lines of the loader's log */
	struct hostinfo host;		/* HANDOFF_HIBERNATE: jump_entry is still 0 */
	bool sealed;			/* HANDOFF_HIBERNATE only: encrypt; seal and seed count */
	struct handoff_seal seal;
	uint8_t seed[HANDOFF_SEED_BYTES]; /* random, for the writer's own generator */
	bool has_image_key;		  /* HANDOFF_RESTORE only: of a sealed image */
	uint8_t image_key[HANDOFF_KEY_BYTES];
};

/* Into buf of HANDOFF_MAX bytes; returns the length. */
size_t handoff_encode(const struct handoff *h, uint8_t *buf);
err_t handoff_decode(const uint8_t *buf, size_t n, struct handoff *out) ERR_CHECK;

#endif
