/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/openable.h"

#include "keys/cryptdevice.h"

#include <stdio.h>
#include <string.h>

/* Its keyslot is opened by what somebody has written down: a passphrase like others. */
#define RECOVERY "systemd-recovery"

static bool is_payable(struct crypt_device *cd, int token, uint64_t memory)
{
	bool payable = true;

	for (int slot = 0; slot < crypt_keyslot_max(CRYPT_LUKS2) && payable; slot++) {
		err_t e = crypt_token_is_assigned(cd, token, slot)
				  ? NULL
				  : cryptdevice_check_cost(cd, slot, memory);

		payable = !e;
		err_free(e);
	}
	return payable;
}

/* One of those that the keyslot was made for. */
static void add_token(struct crypt_device *cd, int token, uint64_t memory,
		      struct openable_keyslot *k)
{
	const char *type = "";
	enum token_kind kind;
	bool with_pin;

	crypt_token_status(cd, token, &type);
	if (!strcmp(type, RECOVERY))
		k->passphrase = true;
	else if (!token_find(cd, token, &kind, &with_pin))
		snprintf(k->why, sizeof(k->why),
			 "keyslot %d is of a token of type %.40s, which a boot cannot use",
			 k->number, type);
	else if (with_pin)
		snprintf(k->why, sizeof(k->why),
			 "keyslot %d: its %s token wants a PIN, which a boot does not ask for",
			 k->number, token_names[kind]);
	else if (is_payable(cd, token, memory))
		k->kinds |= 1u << kind;
}

static void look_at(struct crypt_device *cd, uint64_t memory, struct openable_keyslot *k)
{
	unsigned int tokens = 0;
	err_t e;

	if (crypt_keyslot_get_priority(cd, k->number) < CRYPT_SLOT_PRIORITY_NORMAL) {
		snprintf(k->why, sizeof(k->why),
			 "keyslot %d has the priority \"ignore\" (cryptsetup config --key-slot %d "
			 "--priority normal makes it one like others)",
			 k->number, k->number);
		return;
	}
	e = cryptdevice_check_cost(cd, k->number, memory);
	if (e) {
		snprintf(k->why, sizeof(k->why), "%s", err_text(e));
		err_free(e);
		return;
	}
	for (int token = 0; token < crypt_token_max(CRYPT_LUKS2); token++) {
		if (crypt_token_status(cd, token, NULL) < CRYPT_TOKEN_INTERNAL ||
		    crypt_token_is_assigned(cd, token, k->number))
			continue;
		tokens++;
		add_token(cd, token, memory, k);
	}
	k->passphrase |= !tokens;
}

err_t openable_look(const char *path, uint64_t memory, struct openable *out)
{
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;

	*out = (struct openable){.count = 0};
	TRY(luks_load(path, &cd));
	for (int slot = 0; slot < crypt_keyslot_max(CRYPT_LUKS2); slot++) {
		crypt_keyslot_info info = crypt_keyslot_status(cd, slot);

		if (info != CRYPT_SLOT_ACTIVE && info != CRYPT_SLOT_ACTIVE_LAST)
			continue;
		out->keyslots[out->count].number = slot;
		look_at(cd, memory, &out->keyslots[out->count++]);
	}
	return NULL;
}

bool openable_is(const struct openable_keyslot *k, unsigned int kinds)
{
	return k->passphrase || k->kinds & kinds;
}

unsigned int openable_count(const struct openable *o, unsigned int kinds)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < o->count; i++)
		n += openable_is(&o->keyslots[i], kinds);
	return n;
}

/* The rest is for the boot's kernel and what is in its initramfs. cryptsetup takes no more than
 * half of it for a keyslot. */
uint64_t openable_memory(void)
{
	uint64_t all = luks_memory_all();

	return all - all / 4;
}

void openable_explain(const struct openable *o, unsigned int kinds, char *text, size_t n)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < o->count && used < n; i++) {
		const struct openable_keyslot *k = &o->keyslots[i];

		if (openable_is(k, kinds))
			continue;
		if (*k->why)
			used += (size_t)snprintf(text + used, n - used, "%s%s", used ? "; " : "",
						 k->why);
		else
			used += (size_t)snprintf(text + used, n - used,
						 "%skeyslot %d: its token cannot be used at boot",
						 used ? "; " : "", k->number);
	}
}
