/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Can the image be encrypted, and will the next boot be able to open it? */
#include "host/checks/check.h"

#include "base/io.h"
#include "base/util.h"
#include "cipher/cipher.h"
#include "host/checks/initramfs.h"
#include "host/disks/encrypted.h"
#include "host/disks/luksvolume.h"
#include "host/keys.h"
#include "host/record.h"
#include "keys/digest.h"
#include "keys/locked.h"
#include "keys/luks.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define PINS_MAX (64u << 10)

/* "auto" and all names of the table. */
static bool is_cipher(const char *name)
{
	return !strcmp(name, "auto") || cipher_by_name(name);
}

static void check_clear(struct finding *out)
{
	if (encrypted_any(ENCRYPTED_SYS))
		finding_set(
			out, FINDING_WARN,
			"images are not encrypted (encrypt = no), and this machine's memory holds "
			"keys of encrypted disks: who gets the image has them");
	else
		finding_set(out, FINDING_OK, "images are not encrypted (encrypt = no)");
}

void check_keys_set_up(const struct preflight *p, struct finding *out)
{
	CLEANUP_FREE uint8_t *header = NULL;
	unsigned int slots = 0;
	struct pins pins;
	size_t n;
	err_t e;

	if (!p->config->encrypt) {
		check_clear(out);
		return;
	}
	if (!is_cipher(p->config->cipher)) {
		finding_set(out, FINDING_REFUSE, "there is no cipher \"%s\"", p->config->cipher);
		return;
	}
	e = pins_load(PINS_PATH, &pins);
	if (!e)
		e = keys_header(&pins, &header, &n, &slots);
	if (e)
		finding_set_err(out, FINDING_REFUSE, e);
	else
		finding_set(out, FINDING_OK, "%u of %u passphrases or tokens are set up", slots,
			    LUKS_KEYSLOTS);
}

/* Only to see that it is there: it stays in locked memory, and is wiped. */
static err_t try_recipient(const struct pins *pins)
{
	void *recipient;
	err_t e;

	TRY(locked_create(sizeof(struct seal_recipient), &recipient));
	e = keys_recipient(pins, recipient);
	locked_destroy(recipient, sizeof(struct seal_recipient));
	return e;
}

/* /etc may have moved since setup asked. */
static void check_auth_place(struct finding *out)
{
	bool encrypted = false;
	err_t e = encrypted_path(KEYS_DIR, &encrypted);

	if (e)
		finding_set_err(out, FINDING_WARN, err_context(e, "where " KEYS_AUTH " lies"));
	else if (!encrypted)
		finding_set(out, FINDING_WARN,
			    KEYS_AUTH
			    " is not on an encrypted filesystem any more: who reads the "
			    "disk can make images that this machine resumes. Once " KEYS_DIR
			    " is on one again, or to do without: dormouse setup --rekey");
	else
		finding_set(out, FINDING_OK,
			    "an image that this machine has not made is not resumed");
}

void check_keys_authentication(const struct preflight *p, struct finding *out)
{
	struct pins pins;
	err_t e = pins_load(PINS_PATH, &pins);

	if (e || !p->config->encrypt || !pins.has_public) {
		finding_set(out, FINDING_SKIP, "images are not encrypted, or no keys are set up");
		err_free(e);
		return;
	}
	e = try_recipient(&pins);
	if (e)
		finding_set_err(out, FINDING_REFUSE, e);
	else if (pins.authenticated)
		check_auth_place(out);
	else
		finding_set(out, FINDING_WARN,
			    "images are not authenticated, since " KEYS_DIR
			    " is not on an encrypted filesystem: who can write to the disk while "
			    "the machine is off could replace an image");
}

/* What opens a target "luks:DEVICE" on the host; that it is there is the target's check. */
void check_keys_target(const struct preflight *p, struct finding *out)
{
	bool encrypted = false;
	struct stat st;
	err_t e;

	if (p->location.kind != LOCATION_LUKS || stat(LUKSVOLUME_KEY, &st)) {
		finding_set(out, FINDING_SKIP, "no key file is used");
		return;
	}
	e = encrypted_path(LUKSVOLUME_KEY, &encrypted);
	if (e)
		finding_set_err(out, FINDING_WARN, err_context(e, "where " LUKSVOLUME_KEY " lies"));
	else if (st.st_uid || st.st_mode & 077)
		finding_set(out, FINDING_WARN,
			    LUKSVOLUME_KEY " is not for root alone, and opens %s: chown root and "
					   "chmod 600 it",
			    p->location.name);
	else if (!encrypted)
		finding_set(out, FINDING_WARN,
			    LUKSVOLUME_KEY " is not on an encrypted filesystem: who reads the disk "
					   "can open %s",
			    p->location.name);
	else
		finding_set(out, FINDING_OK, LUKSVOLUME_KEY " is for root alone, and encrypted");
}

/* SHA-256 of the pins as they are; *there: is there such a file? */
static err_t hash_pins(uint8_t sha256[DIGEST_BYTES], bool *there)
{
	CLEANUP_FREE char *text = NULL;
	size_t n;

	*there = !access(PINS_PATH, F_OK);
	if (!*there)
		return NULL;
	TRY(io_read_file(PINS_PATH, PINS_MAX, &text, &n));
	return digest_sha256(text, n, sha256);
}

static void compare(const struct config *config, const struct initramfs *found, const char *path,
		    struct finding *out)
{
	uint8_t sha256[DIGEST_BYTES];
	bool there;
	err_t e = hash_pins(sha256, &there);

	if (e)
		finding_set_err(out, FINDING_REFUSE, e);
	else if (there && (!found->pins || memcmp(sha256, found->pins_sha256, sizeof(sha256))))
		finding_set(out, FINDING_REFUSE,
			    "the initramfs %s does not have what dormouse setup has pinned: run "
			    "update-initramfs -u -k all",
			    path);
	else if (found->config && config->encrypt != found->encrypt)
		finding_set(out, FINDING_REFUSE,
			    "the configuration in the initramfs %s says encrypt = %s, this one %s: "
			    "run update-initramfs -u -k all",
			    path, found->encrypt ? "yes" : "no", config->encrypt ? "yes" : "no");
	else if (config->encrypt && !found->unlock)
		finding_set(out, FINDING_REFUSE,
			    "the initramfs %s cannot open an encrypted image: "
			    "usr/lib/dormouse/unlock is not in it (update-initramfs -u -k all)",
			    path);
	else
		finding_set(out, FINDING_OK, "%s has what it needs", path);
}

void check_keys_initramfs(const struct preflight *p, struct finding *out)
{
	struct initramfs found;
	char path[PATH_MAX];
	err_t e;

	preflight_initramfs(p, path, sizeof(path));
	e = initramfs_scan_cached(path, RECORD_DIR, &found);
	if (!e) {
		compare(p->config, &found, path, out);
		return;
	}
	finding_set(out, FINDING_SKIP, "%s cannot be looked at", path);
	err_free(e);
}
