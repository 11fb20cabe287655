/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HOST_UNSEAL_H
#define HOST_UNSEAL_H

#include "base/err.h"
#include "formats/slot.h"
#include "keys/imagekeys.h"
#include "target/target.h"

#include <stdbool.h>

/* What a sealed image is opened with. */
struct unseal_means {
	const char *secret; /* a file, a pipe, "-": the 64 bytes as they are; NULL */
	const char
		*key_file; /* else a passphrase of its own keyslots, host/tools/keyslots.h; NULL */
	bool ask;	   /* else somebody who is at the terminal */
};

struct unsealed {
	struct image_keys *keys; /* in locked memory; NULL: not opened */
	bool by_keyslots;	 /* its own, by a passphrase */
};

/*
 * The keys of a sealed image; none, and no error, when there are no means, or nobody could
 * or would say a passphrase. Whether it had to be made by who knows the authentication key is
 * what the image says of itself, so that is only as good as the place it came from.
 * ERR_AUTH: it is another secret's, or the image is not sealed, or the passphrase is wrong.
 * ERR_ABORTED: Ctrl-C at the question.
 */
err_t unseal(const struct target *t, const struct slot *slot, const struct unseal_means *means,
	     struct unsealed *out) ERR_CHECK;
void unseal_forget(struct unsealed *u); /* also one that is all zero */

/* Of one that is opened, and whole, for people: who can have made it. */
const char *unseal_vouches(const struct unsealed *u, const struct slot *slot);

#endif
