/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/unseal.h"

#include "base/io.h"
#include "base/util.h"
#include "image/parts.h"
#include "keys/locked.h"
#include "keys/secret.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* All that is secret here, in one piece of locked memory. */
struct opening {
	struct secret secret;
	uint8_t image_key[IMAGE_KEY_BYTES];
};

static err_t read_secret(const char *path, struct secret *out)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return err_errno("%s", path);
	if (st.st_size != SECRET_BYTES)
		return err_new(ERR_INVALID, "%s is no secret: it has not %u bytes", path,
			       SECRET_BYTES);
	return io_pread(fd, out, sizeof(*out), 0, path);
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

err_t unseal(const struct target *t, const struct slot *slot, const char *secret_path,
	     struct image_keys **out)
{
	void *keys, *opening;
	err_t e;

	TRY(locked_create(sizeof(struct opening), &opening));
	e = locked_create(sizeof(struct image_keys), &keys);
	if (!e) {
		e = read_secret(secret_path, &((struct opening *)opening)->secret);
		if (!e)
			e = open_key(t, slot, opening, keys);
		if (e)
			locked_destroy(keys, sizeof(struct image_keys));
		else
			*out = keys;
	}
	locked_destroy(opening, sizeof(struct opening));
	return e;
}

void unseal_forget(struct image_keys *keys)
{
	locked_destroy(keys, sizeof(*keys));
}
