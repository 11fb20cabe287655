/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dormouse-unlock: opens a LUKS2 header for dormouse-resume, which tells it all by
 * pipes (resume/opener.h). Linked with shared libraries, unlike all else that
 * runs in the initramfs.
 */
#include "base/process.h"
#include "base/util.h"
#include "keys/locked.h"
#include "keys/luks.h"
#include "keys/token.h"
#include "keys/volume.h"
#include "resume/opener.h"

#include <stdbool.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define EXIT_USAGE 2

/* Of a CPU's time, for all keyslots together: each may take minutes (keys/cryptdevice.c). */
#define LIMIT_S 1800u

static int exit_code(err_t e)
{
	switch (err_kind(e)) {
	case ERR_AUTH:
		return OPENER_WRONG;
	case ERR_REFUSED:
		return OPENER_NOTHING;
	case ERR_CORRUPT:
		return OPENER_DAMAGED;
	case ERR_NOMEM:
		return OPENER_TOO_LARGE;
	default:
		return OPENER_FAILED;
	}
}

static err_t open_by_passphrase(const char *header, struct secret *secret)
{
	struct passphrase *p;
	err_t e;

	TRY(passphrase_create(&p));
	e = passphrase_load("-", p);
	if (!e)
		e = luks_open_passphrase(header, p->text, p->n, luks_memory(), secret);
	passphrase_destroy(p);
	return e;
}

static err_t put(const void *p, size_t n)
{
	if (write(STDOUT_FILENO, p, n) != (ssize_t)n)
		return err_new(ERR_IO, "nobody takes what was opened");
	return NULL;
}

static err_t open_secret(const char *header, bool token)
{
	struct secret *secret;
	void *p;
	err_t e;

	TRY(locked_create(sizeof(*secret), &p));
	secret = p;
	e = token ? token_open(header, secret) : open_by_passphrase(header, secret);
	if (!e)
		e = put(secret, sizeof(*secret));
	locked_destroy(secret, sizeof(*secret));
	return e;
}

static err_t by_passphrase(const char *header)
{
	return open_secret(header, false);
}

static err_t by_token(const char *header)
{
	return open_secret(header, true);
}

static err_t open_area(const char *device, struct encrypted_area *area)
{
	struct passphrase *p;
	err_t e;

	TRY(passphrase_create(&p));
	e = passphrase_load("-", p);
	if (!e)
		e = volume_open(device, p->text, p->n, area);
	passphrase_destroy(p);
	return e;
}

static err_t volume(const char *device)
{
	void *area;
	err_t e;

	TRY(locked_create(sizeof(struct encrypted_area), &area));
	e = open_area(device, area);
	if (!e)
		e = put(area, sizeof(struct encrypted_area));
	locked_destroy(area, sizeof(struct encrypted_area));
	return e;
}

static err_t marked(const char *device)
{
	enum volume_image image = VOLUME_NONE;
	err_t e = volume_get(device, &image);
	uint8_t byte = (uint8_t)image;

	if (e && err_kind(e) == ERR_UNSUPPORTED) { /* then nobody has put an image there */
		err_free(e);
		return err_new(ERR_CORRUPT,
			       "it is not of LUKS version 2, or its header is damaged");
	}
	TRY(e);
	return image ? put(&byte, 1) : err_new(ERR_REFUSED, "no image is marked there");
}

static err_t unmark(const char *device)
{
	return volume_set(device, VOLUME_NONE);
}

static err_t skip(const char *device)
{
	return volume_set(device, VOLUME_SKIPPED);
}

static err_t discard(const char *device)
{
	return volume_set(device, VOLUME_DISCARDED);
}

/* By the option after the header, or none. */
static const struct {
	const char *option;
	err_t (*run)(const char *header);
} kinds[] = {
	{"", by_passphrase},	   {OPENER_TOKEN, by_token}, {OPENER_VOLUME, volume},
	{OPENER_MARKED, marked},   {OPENER_UNMARK, unmark},  {OPENER_SKIP, skip},
	{OPENER_DISCARD, discard},
};

static void give_up(int number)
{
	static const char text[] = OPENER_MESSAGE "it takes too long to open, and was given up\n";
	ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)number;
	(void)ignored;
	_exit(OPENER_TOO_LARGE);
}

/* A header may be anybody's, and what it costs is theirs to say: whatever is not looked at
 * before, the boot goes on some time. Waiting for somebody to touch a token does not count. */
static void limit_time(void)
{
	struct rlimit limit;

	signal(SIGXCPU, give_up);
	if (getrlimit(RLIMIT_CPU, &limit) || limit.rlim_cur <= LIMIT_S)
		return;
	limit.rlim_cur = LIMIT_S;
	setrlimit(RLIMIT_CPU, &limit);
}

static int run(err_t (*kind)(const char *header), const char *header)
{
	int code = OPENER_OPENED;
	err_t e;

	process_hide();
	limit_time();
	mlockall(MCL_CURRENT | MCL_FUTURE);
	luks_without_locks();
	setenv("TSS2_LOG", "all+none", 1); /* systemd says the same, in words */
	e = kind(header);
	if (e) {
		fprintf(stderr, OPENER_MESSAGE "%s\n", err_text(e));
		code = exit_code(e);
	}
	err_free(e);
	return code;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds) && (argc == 2 || argc == 3); i++)
		if (!strcmp(argc == 3 ? argv[2] : "", kinds[i].option))
			return run(kinds[i].run, argv[1]);
	fprintf(stderr,
		"usage: dormouse-unlock HEADER [--token|--volume|--marked|--unmark|--skip|"
		"--discard], a passphrase on standard input, what was opened to standard output\n");
	return EXIT_USAGE;
}
