/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the keys lie is made up. Planted faults that made it fail: auth.key taken for encrypted
 * because setup once found it so; the place, mode or owner of the target's key not looked
 * at; warned of although no target is opened by it.
 */
#include "unit.h"

#include "host/checks/check.h"

#include <sys/stat.h>

static struct pins pinned;
static bool is_encrypted;
static struct stat key; /* no mode: not there */

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

#include "base/io.h"
#define pins_load(path, out) fake_pins_load(out)
#define stat(path, st)	     fake_stat(st)
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
	(void)sys;
	return false;
}

err_t keys_header(const struct pins *unused, uint8_t **bytes, size_t *n, unsigned int *slots)
{
	(void)unused, (void)bytes, (void)n, (void)slots;
	return NULL;
}

err_t keys_recipient(const struct pins *unused, struct seal_recipient *out)
{
	(void)unused, (void)out;
	return NULL;
}

void preflight_initramfs(const struct preflight *p, char *path, size_t n)
{
	(void)p, (void)path, (void)n;
}

err_t initramfs_scan_cached(const char *path, const char *dir, struct initramfs *out)
{
	(void)path, (void)dir;
	*out = (struct initramfs){.config = true};
	return NULL;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authentication),
		cmocka_unit_test(test_target_key),
	};

	return cmocka_run_group_tests_name("check_keys", tests, NULL, NULL);
}
