/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of ciphers. To add one: a file that defines its struct cipher, its
 * declaration in cipher.h, an id there and its line here, and the id in
 * docs/image-format.md ("Ciphers"). The contract test (tests/unit/test_cipher.c)
 * finds it by itself, but wants a known answer for it.
 */
#include "cipher/cipher.h"

#include "base/util.h"

#include <string.h>

static const struct cipher *const ciphers[] = {
	[CIPHER_AES_256_GCM] = &cipher_aes_256_gcm,
	[CIPHER_CHACHA20_POLY1305] = &cipher_chacha20_poly1305,
};

const struct cipher *cipher_by_id(uint8_t id)
{
	return id < ARRAY_LEN(ciphers) ? ciphers[id] : NULL;
}

const struct cipher *cipher_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(ciphers); i++)
		if (ciphers[i] && !strcmp(ciphers[i]->name, name))
			return ciphers[i];
	return NULL;
}

uint8_t cipher_id(const struct cipher *cipher)
{
	uint8_t id = 0;

	while (ciphers[id] != cipher)
		id++;
	return id;
}

const struct cipher *cipher_fastest(void)
{
	size_t i = 0;

	while (!ciphers[i] || !ciphers[i]->is_fast())
		i++;
	return ciphers[i];
}
