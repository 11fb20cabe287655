/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A target "luks:DEVICE", a LUKS partition that the writer opens itself: opened here by
 * its passphrase, if its header says that an image is in it. What nobody can open is told
 * in the header, since a slot cannot be written then.
 */
#ifndef RESUME_LUKSIMAGE_H
#define RESUME_LUKSIMAGE_H

#include "base/encryptedarea.h"
#include "base/err.h"
#include "config/config.h"
#include "keys/passphrase.h"
#include "resume/options.h"

#include <stdbool.h>
#include <stdint.h>

#define LUKSIMAGE_PATH_MAX 32

struct luksimage {
	const struct options *o;
	char device[CONFIG_TEXT_MAX];
	char mapping[40];    /* its name, as no other device has it; empty: closed */
	bool skipped;	     /* a boot went on beside the image, and could not say so in it */
	uint64_t disk_bytes; /* of the bare disk */
	struct encrypted_area *area; /* of it, in locked memory; NULL: closed */
	struct passphrase *typed;    /* by which somebody has opened it, perhaps, and which may be
				      * that of the image in it, too; NULL: closed, or forgotten */
};

/*
 * Into a new struct, closed, ended by luksimage_destroy; nobody is asked for anything. o is
 * kept. ERR_FORMAT: no image is marked there. ERR_CORRUPT: it is no LUKS2 partition. ERR_IO:
 * it is not there, or cannot be read. When its header cannot be asked, a library missing perhaps,
 * that is logged: there may be an image.
 */
err_t luksimage_create(const char *target, const struct options *o, struct luksimage **out)
	ERR_CHECK;

/*
 * path, of LUKSIMAGE_PATH_MAX: the device behind it. ERR_FORMAT: no image is marked there
 * any more. ERR_AUTH, ERR_ABORTED: nothing opened it. *person: somebody was there. On an
 * error it is closed as before.
 */
err_t luksimage_open(struct luksimage *l, char *path, bool *person) ERR_CHECK;

/* What was typed is not needed any more: wiped. l may be NULL. */
void luksimage_forget(struct luksimage *l);

/* Nobody may have the device open. Logs what fails. */
void luksimage_close(struct luksimage *l);

/* Into the header of one that is closed: no boot resumes it unasked, or at all. */
err_t luksimage_skip(struct luksimage *l) ERR_CHECK;
err_t luksimage_discard(struct luksimage *l) ERR_CHECK;

/* unmark: there is no image in it any more. l may be NULL. Logs what fails. */
void luksimage_destroy(struct luksimage *l, bool unmark);

#endif
