/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Three files: keys.luks, auth.key, and pins, which is written last and says what holds.
 * Cut short before it, the others do not belong to it, and hibernating says so.
 */
#include "host/setup/setup.h"

#include "base/log.h"
#include "base/newfile.h"
#include "base/util.h"
#include "host/disks/encrypted.h"
#include "host/keys.h"
#include "keys/locked.h"
#include "keys/luks.h"
#include "keys/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define ASKED_MAX 3

/* All in locked memory. */
struct making {
	struct secret secret, opened;
	struct passphrase first, second;
};

static err_t ask_twice(int terminal, struct making *m)
{
	for (int i = 0; i < ASKED_MAX; i++) {
		TRY(passphrase_ask(terminal, terminal,
				   "Passphrase to resume with (not shown): ", &m->first));
		if (!m->first.n) {
			dprintf(terminal, "It must not be empty.\r\n");
			continue;
		}
		TRY(passphrase_ask(terminal, terminal, "The same again: ", &m->second));
		if (m->first.n == m->second.n && !memcmp(m->first.text, m->second.text, m->first.n))
			return NULL;
		dprintf(terminal, "They differ.\r\n");
	}
	return err_new(ERR_INVALID, "no passphrase was given");
}

static err_t get_passphrase(const char *key_file, struct making *m)
{
	CLEANUP_CLOSE int terminal = -1;

	if (key_file) {
		TRY(passphrase_load(key_file, &m->first));
		if (m->first.text[m->first.n - 1] == '\n')
			log_warn(
				"%s ends in a newline, which is part of the passphrase: nobody can "
				"type it",
				strcmp(key_file, "-") ? key_file : "standard input");
		return NULL;
	}
	terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal < 0)
		return err_new(ERR_INVALID, "there is no terminal to ask for a passphrase on: "
					    "--key-file FILE, or --key-file - for standard input");
	return ask_twice(terminal, m);
}

static err_t fill_header(const char *path, struct making *m)
{
	const struct passphrase *p = &m->first;

	TRY(luks_create(path, &m->secret, p->text, p->n, &luks_cost));
	TRY(luks_open_passphrase(path, p->text, p->n, UINT64_MAX, &m->opened));
	if (memcmp(&m->opened, &m->secret, sizeof(m->secret)))
		return err_new(ERR_IO, "what was written does not give back the secret");
	return NULL;
}

static err_t put_header(struct making *m)
{
	struct newfile f;
	err_t e;

	TRY(newfile_create(&f, KEYS_HEADER, true));
	/* The library tells of a full disk as of a bad one. */
	errno = posix_fallocate(f.fd, 0, LUKS_HEADER_BYTES);
	e = errno ? err_errno("making room") : fill_header(f.partial, m);
	if (!e)
		e = newfile_commit(&f);
	newfile_discard(&f);
	return err_context(e, "making " KEYS_HEADER);
}

/* Where the disk itself is in the clear, a thief would get the key with it. */
static err_t put_auth_key(const struct making *m, bool *kept)
{
	TRY(encrypted_path(KEYS_DIR, kept));
	if (*kept)
		return newfile_put(KEYS_AUTH, m->secret.auth_key, sizeof(m->secret.auth_key));
	return unlink(KEYS_AUTH) && errno != ENOENT ? err_errno("removing " KEYS_AUTH) : NULL;
}

static err_t put_all(struct making *m, struct pins *pins)
{
	struct pins fresh = *pins; /* the targets stay where they are */

	TRY(secret_create(&m->secret));
	TRY(secret_public(&m->secret, fresh.public_key));
	fresh.has_public = true;
	TRY(put_header(m));
	TRY(put_auth_key(m, &fresh.authenticated));
	fresh.has_auth = fresh.authenticated;
	TRY(secret_auth_digest(m->secret.auth_key, fresh.auth));
	TRY(setup_put_pins(&fresh));
	*pins = fresh;
	return NULL;
}

static err_t put_all_undisturbed(struct making *m, struct pins *pins)
{
	sigset_t some, before;
	err_t e;

	sigemptyset(&some);
	sigaddset(&some, SIGINT);
	sigaddset(&some, SIGTERM);
	sigaddset(&some, SIGHUP);
	sigaddset(&some, SIGQUIT);
	sigaddset(&some, SIGTSTP);
	sigprocmask(SIG_BLOCK, &some, &before);
	e = put_all(m, pins);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return e;
}

static void say_made(const struct pins *pins)
{
	printf("keys: made, in " KEYS_DIR ". The passphrase opens images at boot; others, and "
	       "tokens, can be\n"
	       "      added with cryptsetup luksAddKey " KEYS_HEADER "\n");
	if (!pins->authenticated)
		printf("keys: " KEYS_DIR " is not on an encrypted filesystem, so no authentication "
		       "key is kept:\n"
		       "      images are encrypted, but who can write to the disk could replace "
		       "one by another\n");
}

static err_t make(const struct setup_options *o, struct pins *pins)
{
	struct making *m;
	void *p;
	err_t e;

	TRY(locked_create(sizeof(*m), &p));
	m = p;
	/* Libraries keep copies, if only for a moment. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		log_warn("memory cannot be locked: the secret might be swapped out");
	e = get_passphrase(o->key_file, m);
	if (!e)
		e = put_all_undisturbed(m, pins);
	/* Wiped first: unlocked, it could be swapped out. */
	locked_destroy(m, sizeof(*m));
	munlockall();
	if (!e)
		say_made(pins);
	return e;
}

/* Those that there are: nothing to do but to look at them. */
static err_t keep(const struct pins *pins)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	unsigned int slots;
	size_t n;

	if (!pins->has_public)
		return err_new(ERR_REFUSED,
			       KEYS_HEADER " is there already, but " PINS_PATH
					   " does not know it: --rekey makes a new one");
	TRY(keys_header(pins, &bytes, &n, &slots));
	printf("keys: as they were, opened by %u passphrase%s or token%s\n", slots,
	       slots == 1 ? "" : "s", slots == 1 ? "" : "s");
	return NULL;
}

err_t setup_keys(const struct setup_options *o, struct pins *pins, bool *replaced)
{
	bool there = !access(KEYS_HEADER, F_OK), before = there || pins->has_public;

	*replaced = false;
	if (!there && errno != ENOENT)
		return err_errno(KEYS_HEADER);
	if (!there && pins->has_public && !o->rekey)
		return err_new(ERR_REFUSED, KEYS_HEADER
			       " is gone: put it back from a backup, or --rekey makes a new one");
	if (there && !o->rekey) {
		if (o->key_file)
			log_warn(
				"there are keys already: --key-file is not used (--rekey makes new "
				"ones, cryptsetup luksAddKey " KEYS_HEADER " adds a passphrase)");
		return keep(pins);
	}
	TRY(make(o, pins));
	*replaced = before;
	return NULL;
}
