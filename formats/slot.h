/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The superblock: the small record that commits an image. Two slots, 4 KiB
 * each, at SLOT_A and SLOT_B of the target; the newer one (larger generation)
 * counts. docs/image-format.md, "Superblock".
 */
#ifndef FORMATS_SLOT_H
#define FORMATS_SLOT_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define SLOT_BYTES     4096u
#define SLOT_A_OFFSET  4096u
#define SLOT_B_OFFSET  8192u
#define SLOT_DATA_START 16384u /* what may come before belongs to the slots */
#define SLOT_VERSION   1u
#define NONCE_BYTES    16u
#define SLOT_REASON_MAX 256u

/* Incompatible features: a reader that does not know a set bit refuses. */
#define SLOT_INCOMPAT_SWAP  1u /* page 0 is a swap header; its signature is part of the commit */
#define SLOT_INCOMPAT_LOCATED 4u /* the locator's sector is part of the commit */
#define SLOT_INCOMPAT_KNOWN (SLOT_INCOMPAT_SWAP | SLOT_INCOMPAT_LOCATED)
/* Something outside of the slots speaks for the image too. One of them at most. */
#define SLOT_INCOMPAT_MARKED (SLOT_INCOMPAT_SWAP | SLOT_INCOMPAT_LOCATED)

enum slot_state {
	SLOT_EMPTY = 0,	   /* no image */
	SLOT_WRITING = 1,  /* begun, not committed: not an image */
	SLOT_VALID = 2,	   /* whole; may be resumed */
	SLOT_RESUMING = 3, /* its memory has been or is being given control */
	SLOT_RETIRED = 4,  /* used up, or given up */
};

/* A region of the image: bytes from the start of the target's address space. */
struct slot_region {
	uint64_t offset; /* multiple of 4096 */
	uint32_t length; /* bytes that count; the rest of the last 4 KiB is zero */
	uint32_t crc32c; /* over these bytes */
};

struct slot {
	enum slot_state state;
	uint64_t generation;	     /* grows by one at each write of a slot */
	uint8_t nonce[NONCE_BYTES];  /* identifies the image */
	uint64_t created;	     /* seconds since 1970, UTC */
	uint32_t features_compat;    /* unknown bits are ignored, and cleared by encode */
	uint32_t features_incompat;  /* unknown bits: ERR_UNSUPPORTED */
	struct slot_region header;   /* host description, formats/hostinfo.h */
	struct slot_region directory; /* of the index segments, formats/index.h */
	uint64_t image_end;	     /* first byte after the image */
	uint64_t data_pages;	     /* stored */
	uint64_t zero_pages;	     /* noted: zero */
	uint64_t fill_pages;	     /* noted: one repeated 64-bit word */
	uint64_t raw_bytes;	     /* of data_pages, before compression */
	uint64_t stored_bytes;	     /* of data_pages, as they lie on disk */
	uint32_t failed_resumes;     /* times that restoring gave up */
	char reason[SLOT_REASON_MAX]; /* why it last gave up or was retired; NUL-terminated */
};

void slot_encode(const struct slot *slot, uint8_t out[SLOT_BYTES]);

/*
 * ERR_FORMAT: no superblock here; ERR_CORRUPT: one, but damaged;
 * ERR_UNSUPPORTED: a newer version or an unknown incompatible feature (the
 * text names it). On error *out is unchanged.
 */
err_t slot_decode(const uint8_t in[SLOT_BYTES], struct slot *out) ERR_CHECK;

/* VALID or RESUMING: is there an image, whatever became of it? */
bool slot_holds_image(const struct slot *slot);

const char *slot_state_name(enum slot_state state);

#endif
