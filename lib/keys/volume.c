/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/volume.h"

#include "base/util.h"
#include "keys/cryptdevice.h"
#include "keys/luks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_TYPE "dormouse-image"
#define TOKEN	   "{\"type\":\"" TOKEN_TYPE "\",\"keyslots\":[]"
#define SECTOR	   512u

static const char *const tokens[] = {
	[VOLUME_IMAGE] = TOKEN "}",
	[VOLUME_SKIPPED] = TOKEN ",\"skipped\":true}",
	[VOLUME_DISCARDED] = TOKEN ",\"discarded\":true}",
};

/*
 * What cryptsetup makes, and made of LUKS1, and the writer's kernel has. Nobody vouches for the
 * header: with "cipher_null-ecb", or a mode that repeats itself, who wrote it would read what is
 * written; and the kernel takes the name as words.
 */
static const char *const ciphers[] = {"aes-xts-plain64", "aes-cbc-essiv:sha256"};

static err_t check_cipher(const char *device, const char *cipher)
{
	for (size_t i = 0; i < ARRAY_LEN(ciphers); i++)
		if (!strcmp(cipher, ciphers[i]))
			return NULL;
	return err_new(ERR_UNSUPPORTED, "%s is encrypted with %s: only %s and %s can be used",
		       device, cipher, ciphers[0], ciphers[1]);
}

static err_t load(const char *device, const char *type, struct crypt_device **cd)
{
	int r;

	TRY(cryptdevice_init(device, cd));
	r = crypt_load(*cd, type, NULL);
	if (r == -EINVAL)
		return err_new(ERR_FORMAT, "%s has no LUKS header that can be used", device);
	return r ? cryptdevice_error(r, device, "reading the LUKS header") : NULL;
}

/* The device behind a mapping of the whole of it, as the kernel will be asked for it. */
static err_t describe(struct crypt_device *cd, const char *device, struct encrypted_area *out)
{
	uint64_t offset = crypt_get_data_offset(cd) * SECTOR;
	struct crypt_params_integrity integrity = {0};
	uint32_t requirements = 0;
	FILE *f;
	long long bytes;

	if (!crypt_get_integrity_info(cd, &integrity) && integrity.integrity)
		return err_new(ERR_UNSUPPORTED, "%s: LUKS with integrity", device);
	if (!crypt_persistent_flags_get(cd, CRYPT_FLAGS_REQUIREMENTS, &requirements) &&
	    requirements)
		return err_new(ERR_UNSUPPORTED, "%s is being encrypted anew", device);
	f = fopen(device, "rb");
	if (!f || fseeko(f, 0, SEEK_END) || (bytes = ftello(f)) < 0) {
		err_t e = err_errno("size of %s", device);

		if (f)
			fclose(f);
		return e;
	}
	fclose(f);
	out->sector_bytes = (uint32_t)crypt_get_sector_size(cd);
	out->iv_offset = crypt_get_iv_offset(cd);
	out->start = offset;
	out->bytes = (uint64_t)bytes > offset ? (uint64_t)bytes - offset : 0;
	out->bytes -= out->bytes % out->sector_bytes;
	snprintf(out->cipher, sizeof(out->cipher), "%s-%s", crypt_get_cipher(cd),
		 crypt_get_cipher_mode(cd));
	TRY(check_cipher(device, out->cipher));
	return out->bytes ? NULL : err_new(ERR_NOSPACE, "%s has no room behind its header", device);
}

static err_t try_slot(struct crypt_device *cd, int slot, const char *device, const char *passphrase,
		      size_t n, struct encrypted_area *out)
{
	size_t bytes = sizeof(out->key);
	int r;

	TRY(err_context(cryptdevice_check_cost(cd, slot, luks_memory()), "%s", device));
	r = crypt_volume_key_get(cd, slot, (char *)out->key, &bytes, passphrase, n);
	out->key_bytes = (uint32_t)bytes;
	if (r >= 0)
		return NULL;
	if (r == -EPERM || r == -ENOENT)
		return err_new(ERR_AUTH, "%s: no keyslot opens with this passphrase", device);
	return cryptdevice_error(r, device, "opening a keyslot");
}

/* A keyslot that costs too much, or is damaged, is not in the way of the others. */
static err_t take_key(struct crypt_device *cd, const char *device, const char *passphrase, size_t n,
		      struct encrypted_area *out)
{
	err_t said = NULL;

	for (int slot = 0; slot < crypt_keyslot_max(crypt_get_type(cd)); slot++) {
		crypt_keyslot_info info = crypt_keyslot_status(cd, slot);
		err_t e;

		if (info != CRYPT_SLOT_ACTIVE && info != CRYPT_SLOT_ACTIVE_LAST)
			continue;
		e = try_slot(cd, slot, device, passphrase, n, out);
		if (!e) {
			err_free(said);
			return NULL;
		}
		/* That one cannot be tried says more than that others do not open. */
		said = said && err_kind(said) == ERR_AUTH ? err_first(e, said) : err_first(said, e);
	}
	return said ? said : err_new(ERR_AUTH, "%s has no keyslot", device);
}

err_t volume_describe(const char *device, struct encrypted_area *out)
{
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;

	memset(out, 0, sizeof(*out));
	TRY(load(device, CRYPT_LUKS, &cd));
	return describe(cd, device, out);
}

err_t volume_open(const char *device, const char *passphrase, size_t n, struct encrypted_area *out)
{
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;
	err_t e;

	memset(out, 0, sizeof(*out));
	TRY(load(device, CRYPT_LUKS, &cd));
	e = describe(cd, device, out);
	if (!e)
		e = take_key(cd, device, passphrase, n, out);
	if (e)
		explicit_bzero(out, sizeof(*out));
	return e;
}

/* The number of our token, or -1. */
static int find_token(struct crypt_device *cd)
{
	for (int i = 0; i < crypt_token_max(CRYPT_LUKS2); i++) {
		const char *type = NULL;

		if (crypt_token_status(cd, i, &type) >= CRYPT_TOKEN_INTERNAL && type &&
		    !strcmp(type, TOKEN_TYPE))
			return i;
	}
	return -1;
}

static err_t load2(const char *device, struct crypt_device **cd)
{
	err_t e = load(device, CRYPT_LUKS2, cd);

	if (!e || err_kind(e) != ERR_FORMAT)
		return e;
	err_free(e);
	return err_new(ERR_UNSUPPORTED, "%s is not of LUKS version 2", device);
}

/* What a token of ours says; of one that says more than is known here, that an image is in it. */
static enum volume_image image_of(struct crypt_device *cd, int token)
{
	const char *json = NULL;

	if (token < 0)
		return VOLUME_NONE;
	if (crypt_token_json_get(cd, token, &json) < 0)
		return VOLUME_IMAGE;
	if (strstr(json, "\"discarded\""))
		return VOLUME_DISCARDED;
	return strstr(json, "\"skipped\"") ? VOLUME_SKIPPED : VOLUME_IMAGE;
}

err_t volume_set(const char *device, enum volume_image image)
{
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;
	int token, r = 0;

	TRY(load2(device, &cd));
	token = find_token(cd);
	if (image != image_of(cd, token))
		r = crypt_token_json_set(cd, token < 0 ? CRYPT_ANY_TOKEN : token, tokens[image]);
	return r >= 0 ? NULL : cryptdevice_error(r, device, "writing into the LUKS header");
}

err_t volume_get(const char *device, enum volume_image *image)
{
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;

	TRY(load2(device, &cd));
	*image = image_of(cd, find_token(cd));
	return NULL;
}

err_t volume_mark(const char *device, bool image)
{
	return volume_set(device, image ? VOLUME_IMAGE : VOLUME_NONE);
}

err_t volume_marked(const char *device, bool *image)
{
	enum volume_image what;

	TRY(volume_get(device, &what));
	*image = what != VOLUME_NONE;
	return NULL;
}
