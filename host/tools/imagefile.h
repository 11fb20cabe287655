/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An image to be read, on any machine, from a file or a device. */
#ifndef HOST_IMAGEFILE_H
#define HOST_IMAGEFILE_H

#include "base/err.h"
#include "formats/hostinfo.h"
#include "host/tools/tools.h"
#include "host/tools/unseal.h"
#include "image/commit.h"
#include "target/target.h"

#include <stddef.h>
#include <stdint.h>

struct imagefile {
	struct target target;
	struct commit commit;
	struct hostinfo host;
	struct unsealed unsealed; /* of a sealed image: its keys, if there are any */
	uint8_t *notes;		  /* of a dump; NULL: none, or sealed and no keys */
	size_t notes_bytes;
};

/* at: IMAGEFILE_WHOLE, or a byte of a disk, at which there is the locator of an image in
 * slots of a swap area, or the head of a file that is one (image/located.h). */
#define IMAGEFILE_WHOLE UINT64_MAX

/*
 * Open, and read the superblock; a damaged twin of it is logged as a warning.
 * ERR_FORMAT: there is none, or no locator. ERR_INVALID: nothing can be at that byte. Else
 * errors of commit_load, and of located_open_locator or located_open_head.
 */
err_t imagefile_open(struct imagefile *f, const char *path, uint64_t at) ERR_CHECK;

/*
 * Then all but index and chunks. A sealed image is opened with the options' secret or key
 * file; else, if ask, with what somebody at the terminal knows. ERR_FORMAT: no image: EMPTY,
 * WRITING, RETIRED, or dead. Else errors of unseal and image_read_header.
 */
err_t imagefile_read(struct imagefile *f, const struct tool_options *o, bool ask) ERR_CHECK;

/* Both, and somebody may be asked. */
err_t imagefile_open_image(struct imagefile *f, const struct tool_options *o) ERR_CHECK;

void imagefile_close(struct imagefile *f); /* also after an error */

#endif
