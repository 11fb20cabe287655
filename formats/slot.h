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

#define SLOT_BYTES	4096u
#define SLOT_A_OFFSET	4096u
#define SLOT_B_OFFSET	8192u
#define SLOT_DATA_START 16384u /* what may come before belongs to the slots */
#define SLOT_VERSION	1u
#define NONCE_BYTES	16u
#define SLOT_REASON_MAX 256u

/* Incompatible features: a reader that does not know a set bit refuses. */
#define SLOT_INCOMPAT_SWAP    1u /* page 0 is a swap header; its signature is part of the commit */
#define SLOT_INCOMPAT_SEALED  2u /* encrypted and authenticated: sealing and tag count */
#define SLOT_INCOMPAT_LOCATED 4u /* the locator's sector is part of the commit */
#define SLOT_INCOMPAT_KNOWN   (SLOT_INCOMPAT_SWAP | SLOT_INCOMPAT_SEALED | SLOT_INCOMPAT_LOCATED)
/* Something outside of the slots speaks for the image too. One of them at most. */
#define SLOT_INCOMPAT_MARKED (SLOT_INCOMPAT_SWAP | SLOT_INCOMPAT_LOCATED)

#define SLOT_KEY_BYTES	  4096u	     /* of the sealed key's region, formats/keyblock.h */
#define SLOT_KEYSLOTS_MAX (4u << 20) /* of the copy of the keyslots */
#define SLOT_DIGEST_BYTES 32u
#define SLOT_TAG_BYTES	  32u
#define SLOT_TAGGED_BYTES 256u /* what the tag is over, slot_tagged */

/* Flags of struct slot_sealing. */
#define SLOT_SEALED_AUTHENTICATED 1u /* an authentication key is part of the sealed key */

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

/* What a sealed image has besides; all zero in others. docs/image-format.md, "Sealing". */
struct slot_sealing {
	uint32_t cipher; /* id, cipher/cipher.h */
	uint32_t flags;
	struct slot_region key;	     /* the sealed key */
	struct slot_region keyslots; /* copy of what opens the secret; length 0: none */
	uint8_t header_sha256[SLOT_DIGEST_BYTES];    /* of the region's bytes */
	uint8_t directory_sha256[SLOT_DIGEST_BYTES]; /* likewise */
};

struct slot {
	enum slot_state state;
	uint64_t generation;	      /* grows by one at each write of a slot */
	uint8_t nonce[NONCE_BYTES];   /* identifies the image */
	uint64_t created;	      /* seconds since 1970, UTC */
	uint32_t features_compat;     /* unknown bits are ignored, and cleared by encode */
	uint32_t features_incompat;   /* unknown bits: ERR_UNSUPPORTED */
	struct slot_region header;    /* host description, formats/hostinfo.h */
	struct slot_region directory; /* of the index segments, formats/index.h */
	uint64_t image_end;	      /* first byte after the image */
	uint64_t data_pages;	      /* stored */
	uint64_t zero_pages;	      /* noted: zero */
	uint64_t fill_pages;	      /* noted: one repeated 64-bit word */
	uint64_t raw_bytes;	      /* of data_pages, before compression */
	uint64_t stored_bytes;	      /* of data_pages, as they lie on disk */
	uint32_t failed_resumes;      /* times that restoring gave up */
	char reason[SLOT_REASON_MAX]; /* why it last gave up or was retired; NUL-terminated */
	struct slot_sealing sealing;  /* with SLOT_INCOMPAT_SEALED; left out by encode without */
	uint8_t tag[SLOT_TAG_BYTES];  /* likewise: over slot_tagged */
};

void slot_encode(const struct slot *slot, uint8_t out[SLOT_BYTES]);

/*
 * ERR_FORMAT: no superblock here; ERR_CORRUPT: one, but damaged;
 * ERR_UNSUPPORTED: a newer version or an unknown incompatible feature (the
 * text names it). On error *out is unchanged.
 */
err_t slot_decode(const uint8_t in[SLOT_BYTES], struct slot *out) ERR_CHECK;

/* Of a superblock of whatever version: its place is the same in all. */
const uint8_t *slot_nonce(const uint8_t in[SLOT_BYTES]);

/* Is it of an image that is encrypted? */
bool slot_is_sealed(const struct slot *slot);

/*
 * The bytes that the tag is over: all that the writer has committed, and nothing that
 * changes afterwards without the key (state, generation, count and reason of failures),
 * nor what a reader may not know (features_compat and what they bring).
 */
void slot_tagged(const struct slot *slot, uint8_t out[SLOT_TAGGED_BYTES]);

/* VALID or RESUMING: is there an image, whatever became of it? */
bool slot_holds_image(const struct slot *slot);

const char *slot_state_name(enum slot_state state);

#endif
