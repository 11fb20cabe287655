/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A target "luks:DEVICE": a LUKS2 partition that the writer opens itself. Here it is
 * opened by a key file, so that hibernating asks for nothing; at boot by its passphrase.
 * The image in it is as the kernel's dm-crypt encrypts it, besides being sealed or not.
 */
#ifndef HOST_LUKSVOLUME_H
#define HOST_LUKSVOLUME_H

#include "base/encryptedarea.h"
#include "base/err.h"
#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>

#define LUKSVOLUME_KEY "/etc/dormouse/target.key" /* opens it on the host */

struct luksvolume {
	char device[CONFIG_TEXT_MAX];
	char path[32];		     /* of the mapping, "/dev/dm-3" */
	bool marked;		     /* its header says that an image is in it, or may */
	uint64_t disk_bytes;	     /* of the bare disk that it is on */
	struct encrypted_area *area; /* of that disk, in locked memory; NULL: closed */
};

/*
 * ERR_REFUSED also: there is no key file, and what to do; ERR_AUTH: it opens nothing; ERR_FORMAT:
 * no LUKS there; ERR_REFUSED: in use, or not in one piece on one bare disk.
 */
err_t luksvolume_open(const char *device, struct luksvolume *out) ERR_CHECK;

/* Is there a key file for the next hibernation? ERR_REFUSED: no, and what to do. */
err_t luksvolume_check(const char *device) ERR_CHECK;

/* ERR_REFUSED: somebody uses it, cryptsetup for one. What a run of ours that was killed has left
 * does not count: it is removed. */
err_t luksvolume_check_free(const char *device) ERR_CHECK;

/* Nobody may have the mapping open. The mark stays as it is. Logs what fails. */
void luksvolume_close(struct luksvolume *v);

/* Before the first slot is written, and after the image is retired: in the header whether a
 * boot has to ask for the passphrase. On the medium when it returns. */
err_t luksvolume_mark(struct luksvolume *v, bool image) ERR_CHECK;

#endif
