/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the writer of a sealed image writes besides the encrypted parts. */
#ifndef IMAGE_SEALWRITER_H
#define IMAGE_SEALWRITER_H

#include "base/err.h"
#include "formats/slot.h"
#include "image/sealing.h"
#include "image/staging.h"

#include <stddef.h>
#include <stdint.h>

/* The notes of a dump, encrypted, their tag behind them; region is of both. */
err_t sealwriter_notes(struct sealer *s, struct staging *staging, const uint8_t *notes, size_t n,
		       struct slot_region *region) ERR_CHECK;

/* Keyslots, then the sealed key: their places into sealing. */
err_t sealwriter_append(const struct image_seal *seal, struct staging *staging,
			struct slot_sealing *sealing) ERR_CHECK;

/* Into the slot: feature and sealing; its tag, by sealing_tag, is the last that is missing. */
void sealwriter_note(const struct image_seal *seal, const struct slot_sealing *sealing,
		     struct slot *slot);

#endif
