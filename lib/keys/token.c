/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/token.h"

#include "base/util.h"
#include "keys/cryptdevice.h"
#include "keys/locked.h"
#include "keys/luks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const token_names[TOKEN_KINDS] = {[TOKEN_TPM2] = "TPM2", [TOKEN_FIDO2] = "FIDO2"};

/* Only these: the type also names the plugin that is loaded. */
static const struct {
	const char *type;
	const char *pin;     /* what is true in its JSON if it wants one */
	const char *missing; /* its device; and what that may say, instead of a key */
	const char *refuses;
} kinds[TOKEN_KINDS] = {
	[TOKEN_TPM2] = {"systemd-tpm2", "\"tpm2-pin\"", "there is no TPM here",
			"the TPM does not give its key (another one, or cleared, or it has "
			"measured something else)"},
	[TOKEN_FIDO2] = {"systemd-fido2", "\"fido2-clientPin-required\"", "it is not plugged in",
			 "it does not give its key"},
};

struct token {
	int number;
	enum token_kind kind;
	bool plugin; /* is there, and takes it */
	bool with_pin;
};

/* As libcryptsetup prints JSON, or with spaces: name : true */
static bool is_true(const char *json, const char *name)
{
	const char *p = strstr(json, name);

	if (!p)
		return false;
	p += strlen(name);
	p += strspn(p, " :");
	return !strncmp(p, "true", 4);
}

static bool is_token(struct crypt_device *cd, int number, struct token *out)
{
	const char *type = NULL, *json = NULL;
	crypt_token_info info = crypt_token_status(cd, number, &type);

	if (info < CRYPT_TOKEN_INTERNAL || !type || crypt_token_json_get(cd, number, &json) < 0)
		return false;
	for (size_t kind = 0; kind < TOKEN_KINDS; kind++) {
		if (strcmp(type, kinds[kind].type))
			continue;
		*out = (struct token){number, kind, info == CRYPT_TOKEN_EXTERNAL,
				      is_true(json, kinds[kind].pin)};
		return true;
	}
	return false;
}

bool token_find(struct crypt_device *cd, int number, enum token_kind *kind, bool *with_pin)
{
	struct token t;

	if (!is_token(cd, number, &t))
		return false;
	*kind = t.kind;
	*with_pin = t.with_pin;
	return true;
}

err_t token_count(const char *path, struct token_count *out)
{
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;

	TRY(luks_load(path, &cd));
	*out = (struct token_count){0};
	for (int number = 0; number < crypt_token_max(CRYPT_LUKS2); number++) {
		struct token t;

		if (!is_token(cd, number, &t))
			continue;
		if (t.with_pin)
			out->with_pin++;
		else
			out->usable[t.kind]++;
	}
	return NULL;
}

/* Parameters for the plugin: none, so that it looks for the device itself. */
static int try_token(struct crypt_device *cd, const struct token *t, struct secret *out)
{
	struct crypt_keyslot_context *kc = NULL;
	size_t bytes = sizeof(*out);
	int r = crypt_keyslot_context_init_by_token(cd, t->number, kinds[t->kind].type, NULL, 0,
						    NULL, &kc);

	if (!r)
		r = crypt_volume_key_get_by_keyslot_context(cd, CRYPT_ANY_SLOT, (char *)out, &bytes,
							    kc);
	crypt_keyslot_context_free(kc);
	return r >= 0 && bytes != sizeof(*out) ? -EINVAL : r;
}

/* The header may be anybody's, and trying takes as long as its keyslots say. */
static bool costs_too_much(struct crypt_device *cd, const struct token *t)
{
	bool too_much = false;

	for (int slot = 0; slot < crypt_keyslot_max(CRYPT_LUKS2) && !too_much; slot++) {
		err_t e = crypt_token_is_assigned(cd, t->number, slot)
				  ? NULL
				  : cryptdevice_check_cost(cd, slot, luks_memory());

		too_much = e;
		err_free(e);
	}
	return too_much;
}

/* NULL: it has opened it. */
static const char *why_not(struct crypt_device *cd, const struct token *t, struct secret *out)
{
	int r;

	if (t->with_pin)
		return "it wants a PIN, which is not asked for here";
	if (costs_too_much(cd, t))
		return "its keyslot takes more time or memory than there is";
	if (!t->plugin)
		return "systemd's plugin for it is not here";
	r = try_token(cd, t, out);
	if (r >= 0)
		return NULL;
	switch (r) {
	case -ENOANO:
		return "it wants a PIN, which is not asked for here";
	case -EAGAIN:
		return kinds[t->kind].missing;
	case -EOPNOTSUPP:
		return "a library that it needs is not here";
	default:
		return kinds[t->kind].refuses;
	}
}

/* By the first that does; *found is zero otherwise. */
static err_t try_all(struct crypt_device *cd, const char *path, struct secret *found)
{
	char said[512] = "";
	size_t n = 0;

	for (int number = 0; number < crypt_token_max(CRYPT_LUKS2); number++) {
		const char *reason;
		struct token t;

		if (!is_token(cd, number, &t))
			continue;
		reason = why_not(cd, &t, found);
		if (!reason)
			return NULL;
		explicit_bzero(found, sizeof(*found));
		if (n < sizeof(said))
			n += (size_t)snprintf(said + n, sizeof(said) - n, "%sthe %s token: %s",
					      n ? "; " : "", token_names[t.kind], reason);
	}
	return n ? err_new(ERR_AUTH, "%s", said) : err_new(ERR_REFUSED, "%s has no token", path);
}

err_t token_open(const char *path, struct secret *out)
{
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;
	void *found;
	err_t e;

	TRY(luks_load(path, &cd));
	TRY(locked_create(sizeof(*out), &found));
	e = try_all(cd, path, found);
	if (!e)
		memcpy(out, found, sizeof(*out));
	locked_destroy(found, sizeof(*out));
	return e;
}
