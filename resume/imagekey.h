/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is the image one that this machine believes, and with which key is it read? */
#ifndef RESUME_IMAGEKEY_H
#define RESUME_IMAGEKEY_H

#include "base/err.h"
#include "formats/slot.h"
#include "keys/passphrase.h"
#include "keys/seal.h"
#include "resume/options.h"
#include "target/target.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * All that can be known without the secret, so before anybody is asked for it. ERR_AUTH: it is
 * not encrypted, though the configuration wants it to be: whoever can write to the disk
 * could have put it there; or it is sealed for others. ERR_REFUSED: this initramfs has no keys to
 * compare with.
 */
err_t imagekey_check(const struct target *t, const struct slot *slot, const struct options *o)
	ERR_CHECK;

/*
 * The key of a sealed image, into locked memory. ERR_AUTH: no passphrase opened it (and
 * *again), or what was opened is not what this machine has pinned. Else errors of
 * passphrases_try. known, *person: as there.
 */
err_t imagekey_get(const struct target *t, const struct slot *slot, const struct options *o,
		   struct passphrase *known, uint8_t image_key[IMAGE_KEY_BYTES], bool *again,
		   bool *person) ERR_CHECK;

#endif
