/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Will the next boot be able to open the keyslots, and to use the tokens that are enrolled? */
#include "host/checks/check.h"

#include "host/checks/initramfs.h"
#include "host/keys.h"
#include "host/record.h"
#include "keys/token.h"

#include <limits.h>

/* NULL: all is there. */
static const struct initramfs_library *missing(unsigned int kinds, const struct initramfs *found)
{
	for (size_t i = 0; i < INITRAMFS_LIBRARIES; i++)
		if (kinds & 1u << initramfs_libraries[i].kind && !(found->libraries & 1u << i))
			return &initramfs_libraries[i];
	return NULL;
}

/* Those that it can use, a bit each. */
static unsigned int usable(const struct initramfs *found)
{
	unsigned int kinds = 0;

	for (unsigned int kind = 0; kind < TOKEN_KINDS; kind++)
		if (!missing(1u << kind, found))
			kinds |= 1u << kind;
	return kinds;
}

static unsigned int enrolled(const struct token_count *tokens)
{
	unsigned int kinds = 0;

	for (unsigned int kind = 0; kind < TOKEN_KINDS; kind++)
		if (tokens->usable[kind])
			kinds |= 1u << kind;
	return kinds;
}

static void say_missing(const struct initramfs_library *library, enum finding_level level,
			const char *path, struct finding *out)
{
	finding_set(
		out, level,
		"a %s token is enrolled, but the initramfs %s cannot use it: %s is not in it. Is "
		"it installed? Run update-initramfs -u -k all",
		token_names[library->kind], path, library->name);
}

/* At least one keyslot will open. */
static void compare(const struct token_count *tokens, const struct openable *o,
		    const struct initramfs_library *library, const char *path, struct finding *out)
{
	char why[384];

	openable_explain(o, OPENABLE_ALL_KINDS, why, sizeof(why));
	if (library)
		say_missing(library, FINDING_WARN, path, out);
	else if (*why)
		finding_set(out, FINDING_WARN, "not all of " KEYS_HEADER " opens at boot: %s", why);
	else if (tokens->with_pin)
		finding_set(out, FINDING_WARN,
			    "%u of the tokens want a PIN, which a boot does not ask for: it asks "
			    "for the passphrase instead",
			    tokens->with_pin);
	else
		finding_set(out, FINDING_OK, "enrolled: %u TPM2, %u FIDO2",
			    tokens->usable[TOKEN_TPM2], tokens->usable[TOKEN_FIDO2]);
}

static err_t look(const struct initramfs *found, const char *path, struct finding *out)
{
	const struct initramfs_library *library;
	struct token_count tokens;
	struct openable o;
	err_t e;

	TRY(token_count(KEYS_HEADER, &tokens));
	library = missing(enrolled(&tokens), found);
	e = keys_openable(usable(found), &o);
	if (!e)
		compare(&tokens, &o, library, path, out);
	else if (err_kind(e) != ERR_REFUSED)
		return e;
	else if (library && openable_count(&o, OPENABLE_ALL_KINDS))
		say_missing(library, FINDING_REFUSE, path, out);
	else
		finding_set(out, FINDING_REFUSE, "%s", err_text(e));
	err_free(e);
	return NULL;
}

void check_tokens(const struct preflight *p, struct finding *out)
{
	struct initramfs found;
	char path[PATH_MAX];
	err_t e;

	if (!p->config->encrypt) {
		finding_set(out, FINDING_SKIP, "images are not encrypted");
		return;
	}
	preflight_initramfs(p, path, sizeof(path));
	e = initramfs_scan_cached(path, RECORD_DIR, &found);
	if (!e)
		e = look(&found, path, out);
	if (!e)
		return;
	finding_set(out, FINDING_SKIP, "keys or initramfs cannot be looked at");
	err_free(e);
}
