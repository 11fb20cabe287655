/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RESUME_FIT_H
#define RESUME_FIT_H

#include "base/err.h"
#include "formats/hostinfo.h"
#include "formats/slot.h"
#include "jump/writer_files.h"
#include "keys/imagekeys.h"
#include "target/target.h"

/*
 * Read the image's header, and find out whether this machine, this boot and
 * this writer can put it back, and whether its index is whole. Any error means
 * no, with what differs and what to do; nothing was changed.
 *
 * The filesystems that the image had mounted are compared too: ERR_CORRUPT when one was
 * written to since (nothing makes that good again), ERR_IO when a disk of one does
 * not appear or cannot be read (another boot may find it). keys: of a sealed image;
 * without them (NULL) what its header says is taken for true, and its index is not looked at.
 */
err_t fit_check(const struct target *target, const struct slot *slot, const struct image_keys *keys,
		const char *writer_dir, struct hostinfo *info, struct writer_files *writer)
	ERR_CHECK;

#endif
