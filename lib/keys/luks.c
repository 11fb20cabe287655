/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/luks.h"

#include "base/io.h"
#include "base/util.h"
#include "keys/cryptdevice.h"
#include "keys/locked.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_TYPE "dormouse"
#define LABEL	   "dormouse"

/* Base64 of a public key, padding and NUL included. */
#define PUBLIC_TEXT_BYTES (4 * ((SECRET_KEY_BYTES + 2) / 3) + 1)

static_assert(sizeof(struct secret) == 64, "the secret is what the header protects");

const struct luks_cost luks_cost = {.memory_kib = 64 * 1024, .iterations = 4};

void luks_without_locks(void)
{
	crypt_metadata_locking(NULL, 0);
}

static bool is_used(struct crypt_device *cd, int slot)
{
	crypt_keyslot_info info = crypt_keyslot_status(cd, slot);

	return info == CRYPT_SLOT_ACTIVE || info == CRYPT_SLOT_ACTIVE_LAST;
}

static unsigned int count_used(struct crypt_device *cd)
{
	unsigned int used = 0;

	for (int slot = 0; slot < crypt_keyslot_max(CRYPT_LUKS2); slot++)
		used += is_used(cd, slot);
	return used;
}

static err_t load(const char *path, struct crypt_device **cd)
{
	int r;

	TRY(cryptdevice_init(path, cd));
	r = crypt_load(*cd, CRYPT_LUKS2, NULL);
	if (r == -EINVAL)
		return err_new(ERR_CORRUPT, "%s is damaged, or no LUKS2 header", path);
	return r ? cryptdevice_error(r, path, "reading the LUKS2 header") : NULL;
}

err_t luks_load(const char *path, struct crypt_device **cd)
{
	TRY(load(path, cd));
	if (!count_used(*cd))
		return err_new(ERR_REFUSED, "%s has no keyslot left: nothing opens it any more",
			       path);
	/* More than the tools find room for; a boot would try them all, one after the other. */
	if (count_used(*cd) > LUKS_KEYSLOTS ||
	    crypt_get_volume_key_size(*cd) != (int)sizeof(struct secret))
		return err_new(ERR_CORRUPT, "%s is a LUKS2 header, but not one of dormouse setup",
			       path);
	return NULL;
}

static err_t add_token(struct crypt_device *cd, const char *path, const struct secret *secret)
{
	uint8_t public_key[SECRET_KEY_BYTES];
	char text[PUBLIC_TEXT_BYTES], json[256];
	int r;

	TRY(secret_public(secret, public_key));
	EVP_EncodeBlock((uint8_t *)text, public_key, sizeof(public_key));
	snprintf(json, sizeof(json),
		 "{\"type\":\"" TOKEN_TYPE
		 "\",\"keyslots\":[],\"version\":1,\"public_key\":\"%s\"}",
		 text);
	r = crypt_token_json_set(cd, CRYPT_ANY_TOKEN, json);
	return r < 0 ? cryptdevice_error(r, path, "writing the public key") : NULL;
}

err_t luks_create(const char *path, const struct secret *secret, const char *passphrase, size_t n,
		  const struct luks_cost *cost)
{
	struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_ARGON2ID,
		.hash = "sha256",
		.max_memory_kb = cost->memory_kib,
		.iterations = cost->iterations,
		.parallel_threads = 1,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 params = {
		.pbkdf = &pbkdf,
		.sector_size = 512,
		.data_alignment = 8, /* or the file would grow to the next MiB */
		.label = LABEL,
	};
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;
	const char *key = (const char *)secret;
	int r;

	if (truncate(path, LUKS_HEADER_BYTES))
		return err_errno("making room in %s", path);
	TRY(cryptdevice_init(path, &cd));
	r = crypt_set_metadata_size(cd, LUKS_METADATA_BYTES, LUKS_KEYSLOTS * LUKS_KEYSLOT_BYTES);
	if (!r)
		r = crypt_format(cd, CRYPT_LUKS2, "aes", "xts-plain64", NULL, key, sizeof(*secret),
				 &params);
	if (r)
		return cryptdevice_error(r, path, "making a LUKS2 header");
	r = crypt_keyslot_add_by_volume_key(cd, CRYPT_ANY_SLOT, key, sizeof(*secret), passphrase,
					    n);
	if (r < 0)
		return cryptdevice_error(r, path, "adding the passphrase");
	return add_token(cd, path, secret);
}

/* A line of /proc/meminfo, in bytes. */
static uint64_t meminfo(const char *name)
{
	CLEANUP_FREE char *text = NULL;
	unsigned long long kib;
	const char *line;
	size_t n;
	err_t e = io_read_file("/proc/meminfo", 65536, &text, &n);

	line = e ? NULL : strstr(text, name);
	err_free(e);
	if (!line || sscanf(line + strlen(name), " %llu", &kib) != 1)
		return UINT64_MAX;
	return kib * KIB;
}

uint64_t luks_memory(void)
{
	return meminfo("MemAvailable:");
}

uint64_t luks_memory_all(void)
{
	return meminfo("MemTotal:");
}

/* What try_slots tries. */
struct attempt {
	struct crypt_device *cd;
	const char *path, *passphrase;
	size_t n;
	uint64_t memory;
};

/* The same as crypt_volume_key_get, but a keyslot that cannot be tried does not end it. */
static err_t try_slot(const struct attempt *a, int slot, struct secret *out)
{
	size_t bytes = sizeof(*out);
	int r;

	TRY(cryptdevice_check_cost(a->cd, slot, a->memory));
	r = crypt_volume_key_get(a->cd, slot, (char *)out, &bytes, a->passphrase, a->n);
	if (r >= 0 && bytes == sizeof(*out))
		return NULL;
	explicit_bzero(out, sizeof(*out));
	if (r >= 0)
		return err_new(ERR_CORRUPT, "keyslot %d of %s protects something else", slot,
			       a->path);
	if (r == -EPERM || r == -ENOENT)
		return err_new(ERR_AUTH, "wrong passphrase");
	return cryptdevice_error(r, a->path, "opening a keyslot");
}

/* Which of two errors says more: "wrong passphrase" is what remains to be said. */
static err_t more_telling(err_t a, err_t b)
{
	if (a && err_kind(a) == ERR_AUTH)
		return err_first(b, a);
	return err_first(a, b);
}

/* As for the tools: those that are preferred come first, the ignored ones never. */
static err_t try_slots(const struct attempt *a, struct secret *out)
{
	static const crypt_keyslot_priority order[] = {CRYPT_SLOT_PRIORITY_PREFER,
						       CRYPT_SLOT_PRIORITY_NORMAL};
	err_t said = NULL;

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		for (int slot = 0; slot < crypt_keyslot_max(CRYPT_LUKS2); slot++) {
			err_t e;

			if (!is_used(a->cd, slot) ||
			    crypt_keyslot_get_priority(a->cd, slot) != order[i])
				continue;
			e = try_slot(a, slot, out);
			if (!e) {
				err_free(said);
				return NULL;
			}
			said = more_telling(said, e);
		}
	}
	return said ? said : err_new(ERR_REFUSED, "%s has no keyslot to be tried", a->path);
}

err_t luks_open_passphrase(const char *path, const char *passphrase, size_t n, uint64_t memory,
			   struct secret *out)
{
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;
	struct attempt a = {.path = path, .passphrase = passphrase, .n = n, .memory = memory};
	void *found;
	err_t e;

	TRY(luks_load(path, &cd));
	TRY(locked_create(sizeof(*out), &found));
	a.cd = cd;
	e = try_slots(&a, found);
	if (!e)
		memcpy(out, found, sizeof(*out));
	locked_destroy(found, sizeof(*out));
	return e;
}

/* The text of "public_key" in a token's JSON, as libcryptsetup writes it: "/" is "\/". */
static bool public_text(const char *json, char out[PUBLIC_TEXT_BYTES])
{
	const char *p = strstr(json, "\"public_key\"");
	size_t n = 0;

	p = p ? strchr(p + strlen("\"public_key\""), '"') : NULL;
	if (!p)
		return false;
	for (p++; *p && *p != '"'; p++) {
		if (n == PUBLIC_TEXT_BYTES - 1)
			return false;
		out[n++] = *p;
	}
	out[n] = '\0';
	return *p && n == PUBLIC_TEXT_BYTES - 1;
}

static bool decode_public(const char *json, uint8_t out[SECRET_KEY_BYTES])
{
	uint8_t decoded[PUBLIC_TEXT_BYTES];
	char text[PUBLIC_TEXT_BYTES];

	/* Padding counts as a byte: 44 characters are 33 bytes to it. */
	if (!public_text(json, text) || text[PUBLIC_TEXT_BYTES - 2] != '=' ||
	    EVP_DecodeBlock(decoded, (const uint8_t *)text, PUBLIC_TEXT_BYTES - 1) !=
		    SECRET_KEY_BYTES + 1)
		return false;
	memcpy(out, decoded, SECRET_KEY_BYTES);
	return true;
}

err_t luks_public_key(const char *path, uint8_t out[SECRET_KEY_BYTES])
{
	CLEANUP_CRYPTDEVICE struct crypt_device *cd = NULL;

	TRY(load(path, &cd));
	for (int token = 0; token < crypt_token_max(CRYPT_LUKS2); token++) {
		const char *type = NULL, *json = NULL;

		if (crypt_token_status(cd, token, &type) < CRYPT_TOKEN_INTERNAL || !type ||
		    strcmp(type, TOKEN_TYPE) || crypt_token_json_get(cd, token, &json) < 0)
			continue;
		if (decode_public(json, out))
			return NULL;
	}
	return err_new(ERR_CORRUPT, "%s has no public key of dormouse setup in it", path);
}
