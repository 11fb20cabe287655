/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the keys lie is made up. Planted faults that made it fail: auth.key taken for encrypted
 * because setup once found it so; the place, mode or owner of the target's key not looked
 * at; warned of although no target is opened by it; of the initramfs' pins only asked whether
 * there are any; pins that are not there missed in it; another "encrypt" in it, or no program
 * that opens images, passed over; a configuration that it does not have compared; keys of
 * encrypted disks in memory passed over where images are in the clear.
 */
#include "unit.h"

#include "host/checks/check.h"

#include "host/checks/initramfs.h"
#include "keys/digest.h"

#include <sys/stat.h>
#include <unistd.h>

static struct pins pinned;
static bool is_encrypted, any_encrypted;
static struct stat key;		      /* no mode: not there */
static const char *pins_text;	      /* NULL: there are none */
static bool pins_fail;		      /* to be read */
static struct initramfs in_initramfs; /* resume: it can be looked at */
static unsigned int usable_slots;     /* 0: the header is refused */

static err_t fake_pins_load(struct pins *out)
{
	*out = pinned;
	return NULL;
}

static int fake_stat(struct stat *out)
{
	*out = key;
	return key.st_mode ? 0 : -1;
}

static int fake_access(void)
{
	return pins_text ? 0 : -1;
}

static err_t fake_read_file(char **out, size_t *n)
{
	*n = strlen(pins_text);
	if (pins_fail)
		return err_new(ERR_IO, "the disk is bad");
	*out = strdup(pins_text);
	return NULL;
}

#include "base/io.h"
#define access(path, mode)		 fake_access()
#define io_read_file(path, most, out, n) fake_read_file(out, n)
#define pins_load(path, out)		 fake_pins_load(out)
#define stat(path, st)			 fake_stat(st)
#include "host/checks/check_keys.c"
#include "host/checks/finding.c"

err_t encrypted_path(const char *path, bool *encrypted)
{
	assert_true(!strcmp(path, KEYS_DIR) || !strcmp(path, LUKSVOLUME_KEY));
	*encrypted = is_encrypted;
	return NULL;
}

bool encrypted_any(const char *sys)
{
	assert_string_equal(sys, ENCRYPTED_SYS);
	return any_encrypted;
}

err_t keys_header(const struct pins *unused, uint8_t **bytes, size_t *n, unsigned int *slots)
{
	(void)unused, (void)n;
	if (!usable_slots)
		return err_new(ERR_REFUSED, "no keyslot left");
	*bytes = calloc(1, 1);
	*slots = usable_slots;
	return NULL;
}

err_t keys_recipient(const struct pins *unused, struct seal_recipient *out)
{
	(void)unused, (void)out;
	return NULL;
}

void preflight_initramfs(const struct preflight *p, char *path, size_t n)
{
	(void)p;
	snprintf(path, n, "/boot/initrd");
}

err_t initramfs_scan_cached(const char *path, const char *dir, struct initramfs *out)
{
	(void)dir;
	assert_string_equal(path, "/boot/initrd");
	*out = in_initramfs;
	return out->resume ? NULL : err_new(ERR_CORRUPT, "no initramfs");
}

static void expect(void (*check)(const struct preflight *p, struct finding *out),
		   const struct preflight *p, enum finding_level level, const char *text)
{
	struct finding f = {0};

	check(p, &f);
	if (f.level != level || !strstr(f.text, text))
		fail_msg("level %d, \"%s\"", f.level, f.text);
}

static void test_authentication(void **state)
{
	struct config config = {.encrypt = true};
	struct preflight p = {.config = &config};

	(void)state;
	pinned = (struct pins){.has_public = true, .authenticated = true};
	is_encrypted = true;
	expect(check_keys_authentication, &p, FINDING_OK, "");
	is_encrypted = false;
	expect(check_keys_authentication, &p, FINDING_WARN, "any more");
	pinned.authenticated = false;
	expect(check_keys_authentication, &p, FINDING_WARN, "not authenticated");
}

static void test_target_key(void **state)
{
	struct preflight p = {.location.kind = LOCATION_LUKS};

	(void)state;
	is_encrypted = true;
	expect(check_keys_target, &p, FINDING_SKIP, "");
	key.st_mode = S_IFREG | 0600;
	expect(check_keys_target, &p, FINDING_OK, "");
	is_encrypted = false;
	expect(check_keys_target, &p, FINDING_WARN, "not on an encrypted");
	key.st_mode = S_IFREG | 0640;
	expect(check_keys_target, &p, FINDING_WARN, "not for root alone");
	key.st_mode = S_IFREG | 0600;
	key.st_uid = 1000;
	expect(check_keys_target, &p, FINDING_WARN, "not for root alone");
	p.location.kind = LOCATION_SWAP;
	expect(check_keys_target, &p, FINDING_SKIP, "");
}

static void test_set_up(void **state)
{
	struct config config = {.encrypt = true, .cipher = "auto"};
	struct preflight p = {.config = &config};

	(void)state;
	pinned = (struct pins){.has_public = true};
	expect(check_keys_set_up, &p, FINDING_REFUSE, "no keyslot left");
	usable_slots = 2;
	expect(check_keys_set_up, &p, FINDING_OK, "2 of 4 ");
	strcpy(config.cipher, "rot13");
	expect(check_keys_set_up, &p, FINDING_REFUSE, "there is no cipher \"rot13\"");
}

/* What an image in the clear gives away. */
static void test_clear(void **state)
{
	struct config config = {.encrypt = false};
	struct preflight p = {.config = &config};

	(void)state;
	any_encrypted = false;
	expect(check_keys_set_up, &p, FINDING_OK, "images are not encrypted (encrypt = no)");
	any_encrypted = true;
	expect(check_keys_set_up, &p, FINDING_WARN,
	       "this machine's memory holds keys of encrypted disks: who gets the image has them");
	config.encrypt = true;
	usable_slots = 1;
	strcpy(config.cipher, "auto");
	expect(check_keys_set_up, &p, FINDING_OK, "1 of 4 ");
}

static const char stale[] = "the initramfs /boot/initrd does not have what dormouse setup has "
			    "pinned: run update-initramfs -u -k all";

static void test_initramfs_pins(void **state)
{
	struct config config = {.encrypt = true};
	struct preflight p = {.config = &config};

	(void)state;
	pins_text = "place = what setup has pinned\n";
	in_initramfs = (struct initramfs){.resume = true, .unlock = true};
	expect(check_keys_initramfs, &p, FINDING_REFUSE, stale); /* it has none */
	in_initramfs.pins = true;
	assert_ok(digest_sha256("older ones", 10, in_initramfs.pins_sha256));
	expect(check_keys_initramfs, &p, FINDING_REFUSE, stale);
	assert_ok(digest_sha256(pins_text, strlen(pins_text), in_initramfs.pins_sha256));
	expect(check_keys_initramfs, &p, FINDING_OK, "has what it needs");
	pins_fail = true;
	expect(check_keys_initramfs, &p, FINDING_REFUSE, "the disk is bad");
	pins_fail = false;
	pins_text = NULL; /* none here: a device in the clear needs no setup */
	expect(check_keys_initramfs, &p, FINDING_OK, "has what it needs");
	in_initramfs.pins = false;
	expect(check_keys_initramfs, &p, FINDING_OK, "has what it needs");
	in_initramfs.resume = false;
	expect(check_keys_initramfs, &p, FINDING_SKIP, "cannot be looked at");
}

static void test_initramfs_config(void **state)
{
	struct config config = {.encrypt = true};
	struct preflight p = {.config = &config};

	(void)state;
	pins_text = NULL;
	in_initramfs = (struct initramfs){.resume = true, .unlock = true, .config = true};
	expect(check_keys_initramfs, &p, FINDING_REFUSE, "says encrypt = no, this one yes: run");
	in_initramfs.encrypt = true;
	expect(check_keys_initramfs, &p, FINDING_OK, "");
	config.encrypt = false;
	expect(check_keys_initramfs, &p, FINDING_REFUSE, "says encrypt = yes, this one no: run");
	in_initramfs.config = false; /* its targets' check tells of that */
	expect(check_keys_initramfs, &p, FINDING_OK, "");
	config.encrypt = true;
	in_initramfs.unlock = false;
	expect(check_keys_initramfs, &p, FINDING_REFUSE,
	       "the initramfs /boot/initrd cannot open an encrypted image: "
	       "usr/lib/dormouse/unlock is not in it");
	config.encrypt = false; /* nothing to open */
	expect(check_keys_initramfs, &p, FINDING_OK, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authentication), cmocka_unit_test(test_target_key),
		cmocka_unit_test(test_set_up),	       cmocka_unit_test(test_clear),
		cmocka_unit_test(test_initramfs_pins), cmocka_unit_test(test_initramfs_config),
	};

	return cmocka_run_group_tests_name("check_keys", tests, NULL, NULL);
}
