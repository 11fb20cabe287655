/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/tools/unseal.h"

#include "base/process.h"
#include "base/util.h"
#include "host/tools/keyslots.h"
#include "image/parts.h"
#include "keys/locked.h"
#include "keys/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* All that is secret here, in one piece of locked memory. */
struct opening {
	struct secret secret;
	uint8_t image_key[IMAGE_KEY_BYTES];
};

/* To the end: a pipe has no size. */
static err_t read_from(int fd, const char *name, struct secret *out)
{
	uint8_t *p = (uint8_t *)out, more;
	size_t got = 0;

	for (;;) {
		bool full = got == sizeof(*out);
		ssize_t n = read(fd, full ? &more : p + got, full ? 1 : sizeof(*out) - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno("reading %s", name);
		if (!n && full)
			return NULL;
		if (!n || full)
			return err_new(ERR_INVALID, "%s is no secret: it has not %u bytes", name,
				       SECRET_BYTES);
		got += (size_t)n;
	}
}

static err_t read_secret(const char *path, struct secret *out)
{
	CLEANUP_CLOSE int fd = -1;

	if (!strcmp(path, "-"))
		return read_from(STDIN_FILENO, "standard input", out);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno("%s", path);
	return read_from(fd, path, out);
}

static err_t get_secret(const struct target *t, const struct slot *slot,
			const struct unseal_means *means, struct secret *out, bool *got)
{
	*got = true;
	if (means->secret)
		return read_secret(means->secret, out);
	if (means->key_file)
		return keyslots_open(t, slot, means->key_file, out);
	*got = false;
	return means->ask ? keyslots_ask(t, slot, out, got) : NULL;
}

static err_t open_key(const struct target *t, const struct slot *slot, struct opening *o,
		      struct image_keys *keys)
{
	bool authenticated = slot->sealing.flags & SLOT_SEALED_AUTHENTICATED;
	uint8_t block[KEYBLOCK_BYTES];

	TRY(image_read_sealed_key(t, slot, block));
	TRY(seal_open(&o->secret, slot->nonce, block, authenticated, o->image_key));
	return imagekeys_derive(o->image_key, slot->nonce, keys);
}

static err_t open_image(const struct target *t, const struct slot *slot,
			const struct unseal_means *means, struct opening *o, struct unsealed *out)
{
	bool got;
	void *keys;
	err_t e;

	TRY(get_secret(t, slot, means, &o->secret, &got));
	if (!got)
		return NULL;
	TRY(locked_create(sizeof(*out->keys), &keys));
	e = open_key(t, slot, o, keys);
	if (e)
		locked_destroy(keys, sizeof(*out->keys));
	else
		*out = (struct unsealed){.keys = keys, .by_keyslots = !means->secret};
	return e;
}

err_t unseal(const struct target *t, const struct slot *slot, const struct unseal_means *means,
	     struct unsealed *out)
{
	void *opening;
	err_t e;

	*out = (struct unsealed){.keys = NULL};
	process_hide();
	TRY(locked_create(sizeof(struct opening), &opening));
	e = open_image(t, slot, means, opening, out);
	locked_destroy(opening, sizeof(struct opening));
	return e;
}

void unseal_forget(struct unsealed *u)
{
	locked_destroy(u->keys, sizeof(*u->keys));
	u->keys = NULL;
}

const char *unseal_vouches(const struct unsealed *u, const struct slot *slot)
{
	if (!(slot->sealing.flags & SLOT_SEALED_AUTHENTICATED))
		return "not authenticated: whoever has the public key can have made it";
	if (u->by_keyslots)
		return "made by somebody who knew this passphrase, or had the authentication key; "
		       "nothing else vouches for the keyslots that it has with it";
	return "authentic: made by somebody who had this secret's authentication key";
}
