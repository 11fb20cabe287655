/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session/session.h"

#include "cipher/cipher.h"
#include "host/keys.h"

#include <string.h>

static err_t choose_cipher(const char *name, uint32_t *id)
{
	const struct cipher *cipher = cipher_by_name(name);

	if (!strcmp(name, "auto")) {
		*id = CIPHER_NONE;
		return NULL;
	}
	if (!cipher)
		return err_new(ERR_INVALID, "there is no cipher \"%s\"", name);
	*id = cipher_id(cipher);
	return NULL;
}

err_t session_keys(struct session *s)
{
	unsigned int slots;
	struct pins pins;

	s->sealed = s->config->encrypt;
	if (!s->sealed)
		return NULL;
	TRY(choose_cipher(s->config->cipher, &s->cipher));
	TRY(pins_load(PINS_PATH, &pins));
	TRY(keys_header(&pins, &s->keyslots, &s->keyslots_bytes, &slots));
	return keys_recipient(&pins, &s->recipient);
}
