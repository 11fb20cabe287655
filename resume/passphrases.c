/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/passphrases.h"

#include "base/log.h"
#include "base/util.h"
#include "keys/passphrase.h"

#include <fcntl.h>
#include <stdio.h>

#define PROMPT_BYTES 512

struct door {
	const struct options *o;
	const struct opener *want;
	struct passphrase *passphrase;
	void *out;
};

/* A wrong passphrase, or one that perhaps is that of a keyslot which is too large for here:
 * another one may do. */
static bool is_final(err_t e)
{
	return err_kind(e) != ERR_AUTH && err_kind(e) != ERR_NOMEM;
}

static err_t by_token(const struct door *d, bool *opened)
{
	struct opener token = *d->want;
	err_t e;

	*opened = false;
	if (token.option)
		return NULL;
	token.option = OPENER_TOKEN;
	e = opener_run(&token, NULL, d->out);
	*opened = !e;
	if (!e || (is_final(e) && err_kind(e) != ERR_REFUSED))
		return e;
	/* No token, or none that works here; that is what passphrases are for. */
	if (err_kind(e) != ERR_REFUSED)
		log_warn("no token opens it: %s", err_text(e));
	err_free(e);
	return NULL;
}

/* One that is not there is on a stick that is not plugged in, perhaps. */
static err_t by_key_file(const struct door *d, bool *opened)
{
	const char *path = d->o->key_file;
	err_t e;

	*opened = false;
	if (!*path)
		return NULL;
	e = passphrase_load(path, d->passphrase);
	if (!e)
		e = opener_run(d->want, d->passphrase, d->out);
	*opened = !e;
	if (!e)
		return NULL;
	log_warn("the key file %s opens nothing: %s", path, err_text(e));
	err_free(e);
	return NULL;
}

static err_t ask_once(const struct door *d, int console, const char *what)
{
	char prompt[PROMPT_BYTES];

	snprintf(prompt, sizeof(prompt),
		 "\r\nDormouse: passphrase for %s\r\n(nothing is shown; Enter alone: other "
		 "choices): ",
		 what);
	TRY(passphrase_ask(console, console, prompt, d->passphrase));
	if (!d->passphrase->n)
		return err_new(ERR_ABORTED, "no passphrase was typed");
	return opener_run(d->want, d->passphrase, d->out);
}

static err_t by_person(const struct door *d, const char *what, bool *person)
{
	CLEANUP_CLOSE int console = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
	err_t e = NULL;

	if (console < 0)
		return err_errno("asking for the passphrase: /dev/console");
	for (int i = 0; i < PASSPHRASES_TRIES; i++) {
		err_free(e);
		e = ask_once(d, console, what);
		*person |= !e || err_kind(e) != ERR_IO;
		if (!e || is_final(e))
			return e;
		dprintf(console, "Dormouse: %s\r\n", err_text(e));
	}
	if (err_kind(e) == ERR_NOMEM)
		return e;
	err_free(e);
	return err_new(ERR_AUTH, "it was not opened: %d wrong passphrases", PASSPHRASES_TRIES);
}

static err_t try_all(const struct door *d, const char *what, bool *person)
{
	bool opened;

	TRY(by_token(d, &opened));
	if (!opened)
		TRY(by_key_file(d, &opened));
	return opened ? NULL : by_person(d, what, person);
}

err_t passphrases_try(const struct options *o, const struct opener *want, const char *what,
		      void *out, bool *person)
{
	struct door d = {.o = o, .want = want, .out = out};
	err_t e;

	*person = false;
	TRY(passphrase_create(&d.passphrase));
	e = try_all(&d, what, person);
	passphrase_destroy(d.passphrase);
	return e;
}
