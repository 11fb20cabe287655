/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RESUME_LAUNCH_H
#define RESUME_LAUNCH_H

#include "base/err.h"
#include "formats/hostinfo.h"
#include "formats/slot.h"
#include "jump/tsc.h"
#include "jump/writer_files.h"
#include "resume/luksimage.h"
#include "target/target.h"

/* Load the writer into the windows that it wrote from, in the host's paging
 * mode, with the handoff to restore this image. image_key: IMAGE_KEY_BYTES, of a sealed
 * image; NULL of others. luks: the target is in it; or NULL. */
err_t launch_load(const struct target *target, const struct luksimage *luks,
		  const struct slot *slot, const struct hostinfo *info, const uint8_t *image_key,
		  const struct writer_files *writer, const char *cmdline,
		  const struct tsc_sample *started) ERR_CHECK;

#endif
