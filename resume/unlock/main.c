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
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define EXIT_USAGE 2

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
	bool image = false;

	TRY(volume_marked(device, &image));
	return image ? NULL : err_new(ERR_REFUSED, "no image is marked there");
}

static err_t unmark(const char *device)
{
	return volume_mark(device, false);
}

/* By the option after the header, or none. */
static const struct {
	const char *option;
	err_t (*run)(const char *header);
} kinds[] = {
	{"", by_passphrase},	 {OPENER_TOKEN, by_token}, {OPENER_VOLUME, volume},
	{OPENER_MARKED, marked}, {OPENER_UNMARK, unmark},
};

static int run(err_t (*kind)(const char *header), const char *header)
{
	int code = OPENER_OPENED;
	err_t e;

	process_hide();
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
	fprintf(stderr, "usage: dormouse-unlock HEADER [--token|--volume|--marked|--unmark], a "
			"passphrase on standard input, what was opened to standard output\n");
	return EXIT_USAGE;
}
