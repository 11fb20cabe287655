/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HOST_UNSEAL_H
#define HOST_UNSEAL_H

#include "base/err.h"
#include "formats/slot.h"
#include "keys/imagekeys.h"
#include "target/target.h"

/*
 * The keys of a sealed image, in locked memory, by the secret in a file: its 64 bytes as
 * they are. Whether it had to be made by who knows the authentication key is what the
 * image says of itself, so that is only as good as the place it came from. ERR_AUTH: it
 * is another secret's, or the image is not sealed.
 */
err_t unseal(const struct target *t, const struct slot *slot, const char *secret_path,
	     struct image_keys **out) ERR_CHECK;
void unseal_forget(struct image_keys *keys); /* may be NULL */

#endif
