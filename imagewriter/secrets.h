/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys that the writer holds: in locked memory, for as long as they are needed, and
 * never beyond a jump: both windows are wiped on the way (jump/trampoline.h).
 */
#ifndef IMAGEWRITER_SECRETS_H
#define IMAGEWRITER_SECRETS_H

#include "base/err.h"
#include "formats/handoff.h"
#include "image/sealing.h"
#include "keys/imagekeys.h"

/*
 * For an image that is to be sealed: this kernel's generator is seeded, a key made and
 * sealed to the recipient of the handoff, whose secrets are wiped. NULL when it is not
 * to be sealed.
 */
err_t secrets_seal(struct handoff *h, struct image_seal **out) ERR_CHECK;
void secrets_forget_seal(struct image_seal **s); /* to NULL; may be NULL already */

/* What the image key in the handoff, which is wiped, gives. NULL: there is none. */
err_t secrets_keys(struct handoff *h, struct image_keys **out) ERR_CHECK;
void secrets_forget_keys(struct image_keys **k); /* likewise */

#endif
