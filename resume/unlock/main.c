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

static err_t put(const struct secret *secret)
{
	if (write(STDOUT_FILENO, secret, sizeof(*secret)) != (ssize_t)sizeof(*secret))
		return err_new(ERR_IO, "nobody takes the secret");
	return NULL;
}

static err_t run(const char *header, bool token)
{
	struct secret *secret;
	void *p;
	err_t e;

	TRY(locked_create(sizeof(*secret), &p));
	secret = p;
	luks_without_locks();
	e = token ? luks_open_token(header, secret) : open_by_passphrase(header, secret);
	if (!e)
		e = put(secret);
	locked_destroy(secret, sizeof(*secret));
	return e;
}

int main(int argc, char **argv)
{
	bool token = argc == 3 && !strcmp(argv[2], "--token");
	int code = OPENER_OPENED;
	err_t e;

	if (argc != 2 && !token) {
		fprintf(stderr,
			"usage: dormouse-unlock HEADER [--token], the passphrase on standard "
			"input, the secret to standard output\n");
		return EXIT_USAGE;
	}
	process_hide();
	mlockall(MCL_CURRENT | MCL_FUTURE);
	e = run(argv[1], token);
	if (e) {
		fprintf(stderr, "%s\n", err_text(e));
		code = exit_code(e);
	}
	err_free(e);
	return code;
}
