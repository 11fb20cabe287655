/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Will the next boot be able to use the tokens that are enrolled? A passphrase will do, too. */
#include "host/checks/check.h"

#include "host/checks/initramfs.h"
#include "host/keys.h"
#include "host/record.h"
#include "keys/token.h"

#include <limits.h>

/* NULL: all is there. */
static const struct initramfs_library *missing(const struct token_count *tokens,
					       const struct initramfs *found)
{
	for (size_t i = 0; i < INITRAMFS_LIBRARIES; i++)
		if (tokens->usable[initramfs_libraries[i].kind] && !(found->libraries & 1u << i))
			return &initramfs_libraries[i];
	return NULL;
}

static void compare(const struct token_count *tokens, const struct initramfs *found,
		    const char *path, struct finding *out)
{
	const struct initramfs_library *library = missing(tokens, found);

	if (library)
		finding_set(out, FINDING_WARN,
			    "a %s token is enrolled, but the initramfs %s cannot use it: %s is not "
			    "in it. Is it installed? Run update-initramfs -u -k all",
			    token_names[library->kind], path, library->name);
	else if (tokens->with_pin)
		finding_set(out, FINDING_WARN,
			    "%u of the tokens want a PIN, which a boot does not ask for: it asks "
			    "for the passphrase instead",
			    tokens->with_pin);
	else
		finding_set(out, FINDING_OK, "enrolled: %u TPM2, %u FIDO2",
			    tokens->usable[TOKEN_TPM2], tokens->usable[TOKEN_FIDO2]);
}

void check_tokens(const struct preflight *p, struct finding *out)
{
	struct token_count tokens;
	struct initramfs found;
	char path[PATH_MAX];
	err_t e;

	if (!p->config->encrypt) {
		finding_set(out, FINDING_SKIP, "images are not encrypted");
		return;
	}
	preflight_initramfs(p, path, sizeof(path));
	e = token_count(KEYS_HEADER, &tokens);
	if (!e)
		e = initramfs_scan_cached(path, RECORD_DIR, &found);
	if (!e) {
		compare(&tokens, &found, path, out);
		return;
	}
	finding_set(out, FINDING_SKIP, "keys or initramfs cannot be looked at");
	err_free(e);
}
