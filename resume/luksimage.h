/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A target "luks:DEVICE", a LUKS partition that the writer opens itself: opened here by
 * its passphrase, if its header says that an image is in it.
 */
#ifndef RESUME_LUKSIMAGE_H
#define RESUME_LUKSIMAGE_H

#include "base/encryptedarea.h"
#include "base/err.h"
#include "config/config.h"
#include "resume/options.h"

#include <stdbool.h>
#include <stdint.h>

#define LUKSIMAGE_PATH_MAX 32

struct luksimage {
	char device[CONFIG_TEXT_MAX];
	uint64_t disk_bytes;	     /* of the bare disk */
	struct encrypted_area *area; /* of it, in locked memory */
};

/*
 * Into a new struct, ended by luksimage_destroy; path, of LUKSIMAGE_PATH_MAX: the device
 * behind it. ERR_FORMAT: no image is marked there, and nobody was asked for anything.
 * ERR_AUTH, ERR_ABORTED: nothing opened it.
 */
err_t luksimage_create(const char *target, const struct options *o, char *path,
		       struct luksimage **out) ERR_CHECK;

/* Nobody may have the device open. unmark: there is no image in it any more. l may be
 * NULL. Logs what fails. */
void luksimage_destroy(struct luksimage *l, const struct options *o, bool unmark);

#endif
