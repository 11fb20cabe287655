/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Will a boot open anything? With real headers, by cryptsetup's own program; what the initramfs
 * has is made up. Faults planted, each found: a keyslot counted whatever it costs, or of which
 * priority, or of a token that wants a PIN, of one that no boot uses, of one without its library
 * in the initramfs; a recovery key not taken for a passphrase; a token's other keyslots not
 * looked at; the memory that is free now asked, not what there is; a keyslot that does not open
 * refused beside one that does, or not told of.
 */
#include "unit.h"

#include "base/util.h"
#include "luksfile.h"
#include "tempfile.h"
#include "tokentext.h"

#include "host/checks/check.h"
#include "host/keys.h"

#include <stdio.h>

#define ALL_LIBRARIES 0x7fu
#define TPM2_ONE      0x01u
#define PASS	      "a passphrase"
#define ADD(pass)                                                                                  \
	"printf '" PASS "\\n" pass "\\n' | cryptsetup -q luksAddKey --pbkdf argon2id "             \
	"--pbkdf-memory 64 --pbkdf-force-iterations 4 --pbkdf-parallel 1 "

static struct tempfile header;
static struct initramfs in_initramfs;

#define openable_look(unused, memory, out) openable_look(header.path, memory, out)
#define token_count(unused, out)	   token_count(header.path, out)
#include <sys/stat.h>
#define stat(unused, out) (stat)(header.path, out)
#include "host/checks/check_tokens.c"
#include "host/checks/finding.c"
#include "host/keys.c"
#undef stat
#undef openable_look
#undef token_count

err_t initramfs_scan_cached(const char *path, const char *dir, struct initramfs *out)
{
	(void)path, (void)dir;
	*out = in_initramfs;
	return NULL;
}

const struct initramfs_library initramfs_libraries[INITRAMFS_LIBRARIES] = {
	{TOKEN_TPM2, "plugin-tpm2"}, {TOKEN_TPM2, "a"},	 {TOKEN_TPM2, "b"},  {TOKEN_TPM2, "c"},
	{TOKEN_TPM2, "d"},	     {TOKEN_FIDO2, "e"}, {TOKEN_FIDO2, "f"},
};

void preflight_initramfs(const struct preflight *p, char *path, size_t n)
{
	(void)p;
	snprintf(path, n, "/boot/initrd.img");
}

static void tool(const char *format)
{
	char command[1024];

	snprintf(command, sizeof(command), "%s %s >/dev/null", format, header.path);
	if (system(command))
		fail_msg("failed: %s", command);
}

static int begin(void **state)
{
	static const struct luks_cost cheap = {.memory_kib = 64, .iterations = 4};
	struct secret s = {.auth_key = {1}};

	(void)state;
	in_initramfs = (struct initramfs){.config = true, .libraries = ALL_LIBRARIES};
	tempfile_open(&header, 0);
	assert_ok(luks_create(header.path, &s, PASS, strlen(PASS), &cheap));
	return 0;
}

static int end(void **state)
{
	(void)state;
	tempfile_close(&header);
	return 0;
}

static void expect(enum finding_level level, const char *text, const char *also)
{
	const struct config config = {.encrypt = true};
	const struct preflight p = {.config = &config};
	struct finding f = {0};

	check_tokens(&p, &f);
	if (f.level != level || !strstr(f.text, text) || (also && !strstr(f.text, also)))
		fail_msg("level %d, \"%s\"", f.level, f.text);
}

static void patch(const char *what, const char *instead)
{
	luksfile_patch(header.path, LUKS_METADATA_BYTES, what, instead);
}

static void test_passphrases(void **state)
{
	(void)state;
	expect(FINDING_OK, "0 TPM2, 0 FIDO2", NULL);
	tool(ADD("other"));
	expect(FINDING_OK, "0 TPM2, 0 FIDO2", NULL);
	tool("cryptsetup -q config --key-slot 0 --priority ignore");
	expect(FINDING_WARN, "keyslot 0 has the priority \"ignore\"", NULL);
	tool("cryptsetup -q config --key-slot 1 --priority ignore");
	expect(FINDING_REFUSE, "keyslot 0 has the priority", "luksAddKey");
	tool("cryptsetup -q config --key-slot 0 --priority prefer");
	expect(FINDING_WARN, "keyslot 1 has the priority", NULL);
}

static void test_cost(void **state)
{
	(void)state;
	tool(ADD("other"));
	patch("\"time\":4,", "\"time\":2000000,");
	expect(FINDING_WARN, "keyslot 0 takes 2000000 passes", "--pbkdf-force-iterations 4");
	patch("\"time\":4,", "\"time\":2000000,");
	expect(FINDING_REFUSE, "keyslot 0 takes 2000000 passes", "keyslot 1 takes");
}

/* Of the machine: at boot nothing else is in it. Nothing has 4 TiB less 1 KiB. */
static void test_memory(void **state)
{
	struct openable o;
	char text[48];

	(void)state;
	patch("\"memory\":64,", "\"memory\":2000000000,\"x\":0,");
	expect(FINDING_REFUSE, "keyslot 0 takes", NULL);
	tempfile_close(&header);
	begin(state);
	assert_ok(keys_openable(0, &o));
	assert_in_range(openable_memory(), luks_memory_all() / 2, luks_memory_all() - MIB);
	snprintf(text, sizeof(text), "\"memory\":%llu,",
		 (unsigned long long)(luks_memory_all() / KIB / 2));
	patch("\"memory\":64,", text);
	expect(FINDING_OK, "", NULL);
}

/* Its keyslot's passphrase is known to nobody. */
static void test_tokens(void **state)
{
	(void)state;
	tokentext_add(header.path, TOKENTEXT_TPM2("0"), "true");
	expect(FINDING_REFUSE, "keyslot 0: its TPM2 token wants a PIN", "luksAddKey");
	tool(ADD("other"));
	expect(FINDING_WARN, "keyslot 0: its TPM2 token wants a PIN", NULL);
	tokentext_add(header.path, TOKENTEXT_PKCS11("1"), "");
	expect(FINDING_REFUSE, "keyslot 1 is of a token of type systemd-pkcs11", "keyslot 0: ");
	tokentext_add(header.path, TOKENTEXT_RECOVERY("1"), "");
	expect(FINDING_WARN, "keyslot 0: ", NULL);
}

static void test_libraries(void **state)
{
	(void)state;
	tokentext_add(header.path, TOKENTEXT_TPM2("0"), "false");
	expect(FINDING_OK, "1 TPM2, 0 FIDO2", NULL);
	in_initramfs.libraries = ALL_LIBRARIES & ~TPM2_ONE;
	expect(FINDING_REFUSE, "plugin-tpm2 is not in it", "update-initramfs");
	tokentext_add(header.path, TOKENTEXT_FIDO2("0"), "false");
	expect(FINDING_WARN, "plugin-tpm2 is not in it", NULL);
	in_initramfs.libraries = 0;
	expect(FINDING_REFUSE, "plugin-tpm2 is not in it", "update-initramfs");
	tool(ADD("other"));
	expect(FINDING_WARN, "plugin-tpm2 is not in it", NULL);
}

/* A boot tries none of them if one costs too much. */
static void test_two_keyslots(void **state)
{
	(void)state;
	tool(ADD("other"));
	patch("\"time\":4,", "\"time\":2000000,");
	tokentext_add(header.path, TOKENTEXT_TPM2("0\",\"1"), "false");
	expect(FINDING_REFUSE, "keyslot 0 takes", "keyslot 1");
}

/* Whatever an initramfs has: it is refused without one as well. */
static void test_header(void **state)
{
	struct pins pins = {.has_public = true};
	struct secret s = {.auth_key = {1}};
	unsigned int slots;
	err_t e;

	(void)state;
	assert_ok(secret_public(&s, pins.public_key));
	tokentext_add(header.path, TOKENTEXT_FIDO2("0"), "true");
	e = check(&pins, &slots);
	assert_non_null(e);
	assert_int_equal(err_kind(e), ERR_REFUSED);
	assert_non_null(strstr(err_text(e), "wants a PIN"));
	err_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_passphrases, begin, end),
		cmocka_unit_test_setup_teardown(test_cost, begin, end),
		cmocka_unit_test_setup_teardown(test_memory, begin, end),
		cmocka_unit_test_setup_teardown(test_tokens, begin, end),
		cmocka_unit_test_setup_teardown(test_libraries, begin, end),
		cmocka_unit_test_setup_teardown(test_two_keyslots, begin, end),
		cmocka_unit_test_setup_teardown(test_header, begin, end),
	};

	return cmocka_run_group_tests_name("check_tokens", tests, NULL, NULL);
}
