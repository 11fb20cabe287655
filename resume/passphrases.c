/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/passphrases.h"

#include "base/log.h"
#include "base/util.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define PROMPT_BYTES 512

struct door {
	const struct options *o;
	const struct opener *want;
	struct passphrase *passphrase;
	struct passphrase *known; /* or NULL */
	const char *what;
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

static bool has_known(const struct door *d)
{
	return d->known && d->known->n;
}

/* Most people have one for both. */
static err_t by_known(const struct door *d, bool *opened)
{
	err_t e;

	*opened = false;
	if (!has_known(d))
		return NULL;
	e = opener_run(d->want, d->known, d->out);
	*opened = !e;
	if (!e || is_final(e))
		return e;
	err_free(e);
	return NULL;
}

static void keep(const struct door *d)
{
	if (!d->known)
		return;
	memcpy(d->known->text, d->passphrase->text, d->passphrase->n);
	d->known->n = d->passphrase->n;
}

static err_t ask_once(const struct door *d, int console)
{
	const char *not_that = has_known(d) ? "; it is not the one that was typed before" : "";
	char prompt[PROMPT_BYTES];

	snprintf(prompt, sizeof(prompt),
		 "\r\nDormouse: passphrase for %s%s\r\n(nothing is shown; Enter alone: other "
		 "choices): ",
		 d->what, not_that);
	TRY(passphrase_ask(console, console, prompt, d->passphrase));
	if (!d->passphrase->n)
		return err_new(ERR_ABORTED, "no passphrase was typed");
	return opener_run(d->want, d->passphrase, d->out);
}

static err_t by_person(const struct door *d, bool *person)
{
	CLEANUP_CLOSE int console = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
	err_t e = NULL;

	if (console < 0)
		return err_errno("asking for the passphrase: /dev/console");
	for (int i = 0; i < PASSPHRASES_TRIES; i++) {
		err_free(e);
		e = ask_once(d, console);
		*person |= !e || err_kind(e) != ERR_IO;
		if (!e)
			keep(d);
		if (!e || is_final(e))
			return e;
		dprintf(console, "Dormouse: %s\r\n", err_text(e));
	}
	if (err_kind(e) == ERR_NOMEM)
		return e;
	err_free(e);
	return err_new(ERR_AUTH, "it was not opened: %d wrong passphrases", PASSPHRASES_TRIES);
}

static err_t try_all(const struct door *d, bool *person)
{
	bool opened;

	TRY(by_token(d, &opened));
	if (!opened)
		TRY(by_key_file(d, &opened));
	if (!opened)
		TRY(by_known(d, &opened));
	return opened ? NULL : by_person(d, person);
}

err_t passphrases_try(const struct options *o, const struct opener *want, const char *what,
		      struct passphrase *known, void *out, bool *person)
{
	struct door d = {.o = o, .want = want, .known = known, .what = what, .out = out};
	err_t e;

	*person = false;
	TRY(passphrase_create(&d.passphrase));
	e = try_all(&d, person);
	passphrase_destroy(d.passphrase);
	return e;
}
