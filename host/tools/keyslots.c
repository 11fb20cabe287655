/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/tools/keyslots.h"

#include "base/io.h"
#include "base/util.h"
#include "image/parts.h"
#include "keys/luks.h"
#include "keys/passphrase.h"

#include <stdio.h>
#include <sys/mman.h>

#define PROMPT_BYTES 512

/* The copy, in a file that only this process has: libcryptsetup wants one. */
struct copy {
	int fd;
	char path[32];
};

static err_t make_copy(const struct target *t, const struct slot *slot, struct copy *c)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t n;

	TRY(image_read_keyslots(t, slot, &bytes, &n));
	if (!n)
		return err_new(ERR_AUTH, "it has no keyslots with it that a passphrase could open; "
					 "its secret does (--secret)");
	c->fd = memfd_create("keyslots", MFD_CLOEXEC);
	if (c->fd < 0)
		return err_errno("making a file for the keyslots");
	snprintf(c->path, sizeof(c->path), "/proc/self/fd/%d", c->fd);
	/* Its locks would be files of the system's, and nobody else has this one. */
	luks_without_locks();
	return io_pwrite(c->fd, bytes, n, 0, "the copy of the keyslots");
}

static err_t try(const struct copy *c, const struct passphrase *p, struct secret *out)
{
	return luks_open_passphrase(c->path, p->text, p->n, luks_memory(), out);
}

static err_t by_file(const struct copy *c, const char *key_file, struct secret *out)
{
	struct passphrase *p;
	err_t e;

	TRY(passphrase_create(&p));
	e = passphrase_load(key_file, p);
	if (!e)
		e = try(c, p, out);
	passphrase_destroy(p);
	return e;
}

err_t keyslots_open(const struct target *t, const struct slot *slot, const char *key_file,
		    struct secret *out)
{
	struct copy c = {.fd = -1};
	err_t e = make_copy(t, slot, &c);

	if (!e)
		e = by_file(&c, key_file, out);
	if (c.fd >= 0)
		close(c.fd);
	return e;
}

/* Another passphrase may be that of another keyslot, which is not too large for here. */
static bool is_final(err_t e)
{
	return err_kind(e) != ERR_AUTH && err_kind(e) != ERR_NOMEM;
}

static err_t by_person(const struct copy *c, const char *name, struct passphrase *p,
		       struct secret *out, bool *opened)
{
	char prompt[PROMPT_BYTES];
	err_t e = NULL;

	snprintf(prompt, sizeof(prompt), "Passphrase of %s (not shown; Enter alone: none): ", name);
	for (int i = 0; i < KEYSLOTS_TRIES; i++) {
		err_free(e);
		TRY(passphrase_ask(STDIN_FILENO, STDERR_FILENO, prompt, p));
		if (!p->n)
			return NULL;
		e = try(c, p, out);
		*opened = !e;
		if (!e || is_final(e))
			return e;
		dprintf(STDERR_FILENO, "%s\r\n", err_text(e));
	}
	if (err_kind(e) == ERR_NOMEM)
		return e;
	err_free(e);
	return err_new(ERR_AUTH, "it was not opened: %d wrong passphrases", KEYSLOTS_TRIES);
}

err_t keyslots_ask(const struct target *t, const struct slot *slot, struct secret *out,
		   bool *opened)
{
	struct copy c = {.fd = -1};
	struct passphrase *p = NULL;
	err_t e;

	*opened = false;
	if (!slot->sealing.keyslots.length || !isatty(STDIN_FILENO))
		return NULL;
	e = make_copy(t, slot, &c);
	if (!e)
		e = passphrase_create(&p);
	if (!e)
		e = by_person(&c, t->name, p, out, opened);
	passphrase_destroy(p);
	if (c.fd >= 0)
		close(c.fd);
	return e;
}
