/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tokens as systemd-cryptenroll 252 writes them. What they seal is nonsense. */
#ifndef UNIT_TOKENTEXT_H
#define UNIT_TOKENTEXT_H

#include "unit.h"

#include "keys/cryptdevice.h"
#include "keys/luks.h"

#include <stdio.h>

#define TOKENTEXT(type, slot) "{\"type\":\"" type "\",\"keyslots\":[\"" slot "\"]"

/* Of a keyslot, "0" to "3"; %s: does it want a PIN, true or false? */
#define TOKENTEXT_TPM2(slot)                                                                       \
	TOKENTEXT("systemd-tpm2", slot)                                                            \
	",\"tpm2-blob\":\"AAAA\",\"tpm2-pcrs\":[7],\"tpm2-pcr-bank\":\"sha256\","                  \
	"\"tpm2-primary-alg\":\"ecc\",\"tpm2-policy-hash\":\"00\",\"tpm2-pin\":%s}"
#define TOKENTEXT_FIDO2(slot)                                                                      \
	TOKENTEXT("systemd-fido2", slot)                                                           \
	",\"fido2-credential\":\"AAAA\",\"fido2-salt\":\"AAAA\","                                  \
	"\"fido2-rp\":\"io.systemd.cryptsetup\",\"fido2-clientPin-required\":%s,"                  \
	"\"fido2-up-required\":true,\"fido2-uv-required\":true}"
#define TOKENTEXT_PKCS11(slot)                                                                     \
	TOKENTEXT("systemd-pkcs11", slot) ",\"pkcs11-uri\":\"pkcs11:a=b\",\"pkcs11-key\":"         \
					  "\"AAAA\"}"
#define TOKENTEXT_RECOVERY(slot) TOKENTEXT("systemd-recovery", slot) "}"

static inline void tokentext_add(const char *path, const char *format, const char *pin)
{
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;
	char json[512];

	snprintf(json, sizeof(json), format, pin);
	assert_ok(luks_load(path, &cd));
	assert_true(crypt_token_json_set(cd, CRYPT_ANY_TOKEN, json) >= 0);
}

#endif
