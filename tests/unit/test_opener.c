/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With dormouse-unlock as it is built, and with programs that fail in other ways. Planted
 * faults that made it fail: a short answer taken; the exit code not looked at; the message's
 * control characters kept; what a plugin says taken for the message, or kept to itself; a
 * plugin's crash taken for a program that cannot run; one exit code taken for another; an
 * environment given to it; core dumps of it left on, its memory not locked; no limit of its
 * time.
 */
#include "unit.h"

#include "resume/opener.c"

#include "keys/luks.h"
#include "keys/volume.h"
#include "luksfile.h"
#include "tempfile.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

static const struct luks_cost cheap = {.memory_kib = 64, .iterations = 4};

static struct passphrase *typed(const char *text)
{
	struct passphrase *p;

	assert_ok(passphrase_create(&p));
	p->n = strlen(text);
	memcpy(p->text, text, p->n);
	return p;
}

/* A header in memory, as in the boot. */
static int make_header(struct secret *s)
{
	char path[] = "/tmp/dormouse-opener-XXXXXX";
	int file = mkstemp(path), fd = memfd_create("keyslots", MFD_CLOEXEC);
	char *bytes = malloc(LUKS_HEADER_BYTES);

	assert_true(file >= 0 && fd >= 0 && bytes);
	memset(s, 0x5a, sizeof(*s));
	assert_ok(luks_create(path, s, "right", 5, &cheap));
	assert_int_equal(pread(file, bytes, LUKS_HEADER_BYTES, 0), LUKS_HEADER_BYTES);
	assert_int_equal(write(fd, bytes, LUKS_HEADER_BYTES), LUKS_HEADER_BYTES);
	free(bytes);
	close(file);
	unlink(path);
	return fd;
}

/* build/dormouse-unlock, beside the folder of this test. */
static void program(char path[PATH_MAX])
{
	assert_true(readlink("/proc/self/exe", path, PATH_MAX - 1) > 0);
	*strrchr(path, '/') = '\0';
	strcpy(strrchr(path, '/'), "/dormouse-unlock");
}

static err_t open_with(const char *program, int fd, const struct passphrase *p, struct secret *out)
{
	struct opener o = {.program = program, .header = fd, .bytes = sizeof(*out)};

	o.option = p ? NULL : OPENER_TOKEN;
	return opener_run(&o, p, out);
}

static void test_opens(void **state)
{
	char path[PATH_MAX] = "";
	struct secret s, got = {.auth_key = {1}}, before = got;
	int fd = make_header(&s);
	struct passphrase *right = typed("right"), *wrong = typed("wrong");

	(void)state;
	program(path);
	assert_err(open_with(path, fd, wrong, &got), ERR_AUTH);
	assert_err(open_with(path, fd, NULL, &got), ERR_REFUSED);
	assert_memory_equal(&got, &before, sizeof(got));
	assert_ok(open_with(path, fd, right, &got));
	assert_memory_equal(&got, &s, sizeof(s));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_true(unit_is_err(open_with(path, fd, right, &got)));
	passphrase_destroy(right);
	passphrase_destroy(wrong);
	close(fd);
}

static void put_script(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
}

static void test_fails(void **state)
{
	static const struct {
		const char *script;
		enum err_kind kind;
		const char *says;
	} bad[] = {
		{"#!/bin/sh\nhead -c 63 /dev/zero\n", ERR_IO, "63 bytes"},
		{"#!/bin/sh\nhead -c 64 /dev/zero\nexit 1\n", ERR_IO, "ended with 1"},
		{"#!/bin/sh\necho 'error while loading lib.so' >&2; exit 127\n", ERR_IO,
		 "ended with 127: error while loading lib.so"},
		{"#!/bin/sh\nkill -9 $$\n", ERR_IO, "signal 9 (Killed): for want of memory"},
		{"#!/bin/sh\nkill -11 $$\n", ERR_IO, "signal 11"},
		{"#!/bin/sh\nprintf 'a\\033b\\n' >&2; exit 13\n", ERR_CORRUPT, "a?b"},
		{"#!/bin/sh\necho failed >&2; exit 10\n", ERR_IO, "failed"},
		{"#!/bin/sh\necho wrong >&2; exit 11\n", ERR_AUTH, "wrong"},
		{"#!/bin/sh\necho nothing >&2; exit 12\n", ERR_REFUSED, "nothing"},
		{"#!/bin/sh\necho large >&2; exit 14\n", ERR_NOMEM, "large"},
		{"#!/bin/sh\necho unknown >&2; exit 15\n", ERR_IO, "ended with 15: unknown"},
		{"#!/nonexistent\n", ERR_IO, "No such file"},
		{"#!/bin/sh\nexit 10\n", ERR_IO, "ended with 10"},
	};
	char path[] = "/tmp/dormouse-opener-XXXXXX";
	struct passphrase *p = typed("right");
	int fd = memfd_create("none", 0), file = mkstemp(path);
	struct secret got;

	(void)state;
	p->n = sizeof(p->text);
	close(file);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_t e;

		put_script(path, bad[i].script);
		e = open_with(path, fd, p, &got);
		assert_non_null(e);
		if (err_kind(e) != bad[i].kind || !strstr(err_text(e), bad[i].says))
			fail_msg("%s: %s", bad[i].script, err_text(e));
		err_free(e);
	}
	/* What the kernel's command line makes an environment of is not for it. */
	setenv("PLANTED", "1", 1);
	put_script(path, "#!/bin/sh\n[ -z \"$PLANTED\" ] && head -c 64 /dev/zero\n");
	assert_ok(open_with(path, fd, p, &got));
	unlink(path);
	assert_err(open_with("/nonexistent", fd, p, &got), ERR_IO);
	passphrase_destroy(p);
	close(fd);
}

/* Tokens have plugins, which talk, and crash. */
static void test_token(void **state)
{
	static const struct {
		const char *script;
		enum err_kind kind;
		const char *says;
	} bad[] = {
		{"#!/bin/sh\nprintf 'please \\033touch\\n' >&2; echo 'dormouse-unlock: it is "
		 "another' >&2; "
		 "exit 11\n",
		 ERR_AUTH, "it is another"},
		{"#!/bin/sh\necho 'dormouse-unlock: there is none' >&2; exit 12\n", ERR_REFUSED,
		 "there is none"},
		{"#!/bin/sh\necho 'please touch' >&2; kill -11 $$\n", ERR_AUTH, "crashed"},
		{"#!/bin/sh\necho 'no lib.so' >&2; exit 127\n", ERR_IO,
		 "ended with 127: no lib.so"},
	};
	char path[] = "/tmp/dormouse-opener-XXXXXX";
	int fd = memfd_create("none", 0), file = mkstemp(path);
	struct secret got;

	(void)state;
	close(file);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_t e;

		put_script(path, bad[i].script);
		e = open_with(path, fd, NULL, &got);
		assert_non_null(e);
		if (err_kind(e) != bad[i].kind || !strstr(err_text(e), bad[i].says) ||
		    strstr(err_text(e), "touch"))
			fail_msg("%s: %s", bad[i].script, err_text(e));
		err_free(e);
	}
	assert_non_null(strstr(log_tail(), "please ?touch"));
	assert_null(strstr(log_tail(), "it is another"));
	unlink(path);
	close(fd);
}

/* When this is done, the header says that. */
static void check_mark(struct opener *o, const char *option, enum volume_image expected)
{
	uint8_t mark = 0xff;

	o->option = option;
	o->bytes = 0;
	if (option)
		assert_ok(opener_run(o, NULL, NULL));
	o->option = OPENER_MARKED;
	o->bytes = 1;
	if (expected == VOLUME_NONE) {
		assert_err(opener_run(o, NULL, &mark), ERR_REFUSED);
		return;
	}
	assert_ok(opener_run(o, NULL, &mark));
	assert_int_equal(mark, expected);
}

/* A LUKS partition's key, and the mark in its header. */
static void test_volume(void **state)
{
	char path[PATH_MAX] = "";
	struct passphrase *right = typed(LUKSFILE_PASS), *wrong = typed("wrong");
	struct encrypted_area got, expected;
	struct opener o = {.program = path, .option = OPENER_VOLUME, .bytes = sizeof(got)};
	struct tempfile f;
	uint8_t key[64];

	(void)state;
	program(path);
	tempfile_open(&f, 0);
	luksfile_format(f.path, CRYPT_LUKS2, key);
	o.header = f.fd;
	assert_ok(volume_open(f.path, LUKSFILE_PASS, strlen(LUKSFILE_PASS), &expected));
	assert_err(opener_run(&o, wrong, &got), ERR_AUTH);
	assert_ok(opener_run(&o, right, &got));
	assert_memory_equal(&got, &expected, sizeof(got));
	check_mark(&o, NULL, VOLUME_NONE);
	assert_ok(volume_mark(f.path, true));
	check_mark(&o, NULL, VOLUME_IMAGE);
	check_mark(&o, OPENER_SKIP, VOLUME_SKIPPED);
	check_mark(&o, OPENER_DISCARD, VOLUME_DISCARDED);
	check_mark(&o, OPENER_UNMARK, VOLUME_NONE);
	/* No question at every boot about a partition that is something else by now. */
	luksfile_format(f.path, CRYPT_LUKS1, key);
	o.option = OPENER_MARKED;
	assert_err(opener_run(&o, NULL, NULL), ERR_CORRUPT);
	passphrase_destroy(right);
	passphrase_destroy(wrong);
	tempfile_close(&f);
}

/* More than what is locked for the secret alone; the sanitizer's mlockall does nothing. */
#ifdef __SANITIZE_ADDRESS__
#define ENOUGH_LOCKED(kib) true
#else
#define ENOUGH_LOCKED(kib) ((kib) > 1024)
#endif

/* Of the process: no core dump, and memory that is not swapped out. Polled: it tells nobody
 * when it has come so far as to wait for its passphrase. */
static bool is_hidden(pid_t pid)
{
	char path[64], line[256];
	unsigned long soft, core = 1, locked = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "Max core file size %lu %lu", &soft, &core);
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmLck: %lu", &locked);
	if (f)
		fclose(f);
	return !core && ENOUGH_LOCKED(locked);
}

static void test_hides(void **state)
{
	char path[PATH_MAX] = "";
	struct secret s, got;
	struct opener o = {.program = path, .header = make_header(&s), .bytes = sizeof(s)};
	struct passphrase *right = typed("right");
	time_t until = time(NULL) + 60;
	struct child c;
	bool hidden;

	(void)state;
	program(path);
	assert_ok(start(&o, &c));
	while (!(hidden = is_hidden(c.pid)) && time(NULL) < until)
		usleep(1000);
	assert_ok(talk(&o, &c, right, &got));
	assert_true(hidden);
	assert_memory_equal(&got, &s, sizeof(s));
	passphrase_destroy(right);
	close(o.header);
}

/* In the shell's limit of one second, where a keyslot takes a minute. */
static void test_too_long(void **state)
{
	static const char kdf[] = "\"kdf\":{\"type\":\"argon2id\",\"time\":4,\"memory\":64,"
				  "\"cpus\":1,",
			  slow[] = "\"kdf\":{\"type\":\"pbkdf2\",\"hash\":\"sha512\","
				   "\"iterations\":100000000,";
	char path[PATH_MAX] = "", script[] = "/tmp/dormouse-opener-XXXXXX", text[PATH_MAX + 64];
	struct passphrase *p = typed("right");
	int file = mkstemp(script);
	struct secret s = {.auth_key = {1}}, got;
	struct tempfile f;
	err_t e;

	(void)state;
	close(file);
	program(path);
	snprintf(text, sizeof(text), "#!/bin/sh\nulimit -S -t 1\nexec %s \"$@\"\n", path);
	put_script(script, text);
	tempfile_open(&f, 0);
	assert_ok(luks_create(f.path, &s, "right", 5, &cheap));
	assert_ok(open_with(script, f.fd, p, &got));
	luksfile_patch(f.path, LUKS_METADATA_BYTES, kdf, slow);
	e = open_with(script, f.fd, p, &got);
	assert_non_null(e);
	if (err_kind(e) != ERR_NOMEM || !strstr(err_text(e), "takes too long"))
		fail_msg("%s", err_text(e));
	err_free(e);
	passphrase_destroy(p);
	tempfile_close(&f);
	unlink(script);
}

/* What the program has when nobody limits it. */
static void test_limit(void **state)
{
	char path[PATH_MAX] = "", limits[64], line[256];
	struct secret s, got;
	struct opener o = {.program = path, .header = make_header(&s), .bytes = sizeof(s)};
	struct passphrase *right = typed("right");
	time_t until = time(NULL) + 60;
	unsigned long seconds = 0;
	struct child c;

	(void)state;
	program(path);
	assert_ok(start(&o, &c));
	snprintf(limits, sizeof(limits), "/proc/%d/limits", (int)c.pid);
	while (!seconds && time(NULL) < until) {
		FILE *file = fopen(limits, "r");

		while (file && fgets(line, sizeof(line), file))
			sscanf(line, "Max cpu time %lu", &seconds);
		if (file)
			fclose(file);
		usleep(1000);
	}
	assert_ok(talk(&o, &c, right, &got));
	assert_in_range(seconds, 600, 3600);
	passphrase_destroy(right);
	close(o.header);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens), cmocka_unit_test(test_volume),
		cmocka_unit_test(test_fails), cmocka_unit_test(test_token),
		cmocka_unit_test(test_hides), cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
