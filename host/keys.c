/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/keys.h"

#include "base/io.h"
#include "base/util.h"
#include "keys/luks.h"
#include "keys/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* As much as an image has room for. */
#define HEADER_MAX (4u << 20)

/* What to do, when the header opens nothing any more. */
static err_t with_remedy(err_t e)
{
	err_t said;

	if (!e || (err_kind(e) != ERR_CORRUPT && err_kind(e) != ERR_REFUSED))
		return e;
	said = err_new(ERR_REFUSED,
		       "%s: put it back from a backup, or run dormouse setup --rekey, which makes "
		       "new keys",
		       err_text(e));
	err_free(e);
	return said;
}

/* Of a file that was cut short behind its metadata the library does not tell. */
static err_t check_length(void)
{
	struct stat st;

	if (stat(KEYS_HEADER, &st))
		return errno == ENOENT ? err_new(ERR_REFUSED, KEYS_HEADER " is gone")
				       : err_errno(KEYS_HEADER);
	if (st.st_size < LUKS_HEADER_BYTES)
		return err_new(ERR_CORRUPT, KEYS_HEADER " is damaged: %lld of %u bytes are left",
			       (long long)st.st_size, LUKS_HEADER_BYTES);
	return NULL;
}

static err_t look_at_header(struct openable *out)
{
	TRY(check_length());
	TRY(openable_look(KEYS_HEADER, openable_memory(), out));
	if (!out->count)
		return err_new(ERR_REFUSED, KEYS_HEADER " has no keyslot left");
	return NULL;
}

err_t keys_openable(unsigned int kinds, struct openable *out)
{
	char why[512];

	memset(out, 0, sizeof(*out));
	TRY(with_remedy(look_at_header(out)));
	if (openable_count(out, kinds))
		return NULL;
	openable_explain(out, kinds, why, sizeof(why));
	return err_new(ERR_REFUSED,
		       "nothing in " KEYS_HEADER " would open the image at boot (%s): add a "
		       "passphrase with cryptsetup luksAddKey, or run dormouse setup --rekey",
		       why);
}

static err_t check(const struct pins *pins, unsigned int *slots)
{
	uint8_t public_key[SECRET_KEY_BYTES];
	struct openable o;

	if (!pins->has_public)
		return err_new(
			ERR_REFUSED,
			"no keys are set up to encrypt the image for: run dormouse setup, or "
			"say \"encrypt = no\" in " CONFIG_PATH);
	TRY(keys_openable(OPENABLE_ALL_KINDS, &o));
	*slots = openable_count(&o, OPENABLE_ALL_KINDS);
	TRY(with_remedy(luks_public_key(KEYS_HEADER, public_key)));
	if (memcmp(public_key, pins->public_key, sizeof(public_key)))
		return err_new(ERR_REFUSED,
			       KEYS_HEADER " and " PINS_PATH
					   " are of different keys: run dormouse setup --rekey");
	return NULL;
}

err_t keys_header(const struct pins *pins, uint8_t **bytes, size_t *n, unsigned int *slots)
{
	char *text;

	TRY(check(pins, slots));
	TRY(io_read_file(KEYS_HEADER, HEADER_MAX, &text, n));
	*bytes = (uint8_t *)text;
	return NULL;
}

/* Images by another one would not be authentic at boot. */
static err_t check_auth(const struct pins *pins, const uint8_t *auth_key)
{
	uint8_t digest[DIGEST_BYTES];

	if (!pins->has_auth)
		return NULL;
	TRY(secret_auth_digest(auth_key, digest));
	if (memcmp(digest, pins->auth, sizeof(digest)))
		return err_new(ERR_REFUSED,
			       KEYS_AUTH " and " PINS_PATH " are of different keys: put " KEYS_AUTH
					 " back from a backup, or run dormouse setup --rekey");
	return NULL;
}

err_t keys_recipient(const struct pins *pins, struct seal_recipient *out)
{
	CLEANUP_CLOSE int fd = -1;

	memcpy(out->public_key, pins->public_key, sizeof(out->public_key));
	out->authenticated = pins->authenticated;
	if (!pins->authenticated)
		return NULL;
	fd = open(KEYS_AUTH, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno("opening " KEYS_AUTH " (dormouse setup --rekey makes a new one)");
	TRY(io_pread(fd, out->auth_key, sizeof(out->auth_key), 0, KEYS_AUTH));
	return check_auth(pins, out->auth_key);
}
