/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/imagekey.h"

#include "base/io.h"
#include "base/util.h"
#include "image/parts.h"
#include "keys/locked.h"
#include "resume/passphrases.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

err_t imagekey_check(const struct target *t, const struct slot *slot, const struct options *o)
{
	uint8_t block[KEYBLOCK_BYTES];

	if (!slot_is_sealed(slot)) {
		if (o->encrypt)
			return err_new(ERR_AUTH,
				       "it is not encrypted, and the configuration says encrypt = "
				       "yes: somebody may have put it there");
		return NULL;
	}
	if (!o->pins.has_public)
		return err_new(ERR_REFUSED,
			       "it is encrypted, and there are no keys of dormouse setup "
			       "in this initramfs");
	TRY(image_read_sealed_key(t, slot, block));
	if (!seal_is_for(block, o->pins.public_key))
		return err_new(ERR_AUTH, "it is encrypted for other keys than those of this "
					 "machine (dormouse setup --rekey since?)");
	return NULL;
}

/* A file that only this process has: libcryptsetup wants one. */
static err_t copy_keyslots(const struct target *t, const struct slot *slot, int *out)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	CLEANUP_CLOSE int fd = -1;
	size_t n;

	TRY(image_read_keyslots(t, slot, &bytes, &n));
	if (!n)
		return err_new(ERR_AUTH, "it has no keyslots with it");
	fd = memfd_create("keyslots", MFD_CLOEXEC);
	if (fd < 0)
		return err_errno("making a file for the keyslots");
	TRY(io_pwrite(fd, bytes, n, 0, "the copy of the keyslots"));
	*out = fd;
	fd = -1;
	return NULL;
}

/* Who can write to the disk can exchange the keyslots, with a passphrase of their own. */
static err_t check_ours(const struct secret *secret, const struct pins *pins)
{
	uint8_t public_key[SECRET_KEY_BYTES];

	TRY(secret_public(secret, public_key));
	if (memcmp(public_key, pins->public_key, sizeof(public_key)))
		return err_new(ERR_AUTH,
			       "its keyslots were opened, but they are not of this machine");
	return NULL;
}

static err_t open_sealed(const struct target *t, const struct slot *slot, const struct options *o,
			 const struct secret *secret, uint8_t image_key[IMAGE_KEY_BYTES])
{
	uint8_t block[KEYBLOCK_BYTES];

	TRY(check_ours(secret, &o->pins));
	TRY(image_read_sealed_key(t, slot, block));
	return err_context(seal_open(secret, slot->nonce, block, o->pins.authenticated, image_key),
			   "its key");
}

err_t imagekey_get(const struct target *t, const struct slot *slot, const struct options *o,
		   struct passphrase *known, uint8_t image_key[IMAGE_KEY_BYTES], bool *again,
		   bool *person)
{
	struct opener want = {.program = o->opener, .bytes = sizeof(struct secret)};
	CLEANUP_CLOSE int keyslots = -1;
	struct secret *secret;
	char what[128];
	void *p;
	err_t e;

	*again = *person = false;
	snprintf(what, sizeof(what), "the image on %s", t->name);
	TRY(copy_keyslots(t, slot, &keyslots));
	TRY(locked_create(sizeof(*secret), &p));
	secret = p;
	want.header = keyslots;
	e = passphrases_try(o, &want, what, known, secret, person);
	*again = e && (err_kind(e) == ERR_AUTH || err_kind(e) == ERR_ABORTED ||
		       err_kind(e) == ERR_NOMEM);
	if (!e)
		e = open_sealed(t, slot, o, secret, image_key);
	locked_destroy(secret, sizeof(*secret));
	return e;
}
