/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * memory -> chunks -> codec -> target, on all CPUs:
 *
 *   worker threads take blocks in ascending order, compress each to a chunk, and
 *   append it to the open staging buffer; a full staging buffer is written with
 *   io_uring (O_DIRECT, one large request, several in flight). Index entries are
 *   put back in order as workers finish, and go to the target in segments.
 *
 * All memory is allocated before the first write: about 1 MiB for each thread,
 * the codec's scratch memory for each, and 5 MiB besides, by image_writer_create; and 0.6 MiB,
 * and 1.4 KiB for each GiB of the source, by image_writer_run.
 */
#ifndef IMAGE_WRITER_H
#define IMAGE_WRITER_H

#include "base/err.h"
#include "codec/codec.h"
#include "formats/slot.h"
#include "image/progress.h"
#include "image/sealing.h"
#include "memory/source.h"
#include "target/target.h"

#include <stdbool.h>
#include <stdint.h>

struct image_writer_options {
	unsigned int threads; /* 1 .. 64 */
	struct codec_choice codec;
	uint8_t nonce[NONCE_BYTES];
	const struct image_seal *seal; /* NULL: not sealed; borrowed until destroy */
	bool sync_io;		       /* without io_uring, whether the kernel has it or not */

	/* Called from image_writer_run's thread some ten times a second; an
	 * error from it (a key was pressed) ends the run with that error. */
	err_t (*tick)(void *arg, const struct image_progress *progress);
	void *tick_arg;
};

struct image_writer;

err_t image_writer_create(const struct image_writer_options *options, const struct target *target,
			  struct image_writer **out) ERR_CHECK;
void image_writer_destroy(struct image_writer *w); /* w may be NULL */

/*
 * The notes of a dump, for struct hostinfo's record of them: at most
 * HOSTINFO_NOTES_MAX bytes, less a tag, at least 1. At most once, before
 * image_writer_run.
 */
err_t image_writer_add_notes(struct image_writer *w, const uint8_t *notes, size_t n,
			     struct slot_region *region) ERR_CHECK;

/* The codec that "auto" has picked, for messages, after image_writer_run: the
 * text of it, or "auto" when the image was too small to pick one. */
void image_writer_codec(struct image_writer *w, char out[CODEC_CHOICE_TEXT_MAX]);

/*
 * Once for each writer. Write header (an encoded struct hostinfo), all blocks of the source, index
 * and directory. On success slot's regions, image_end and counts are filled in; of a
 * sealed image also its feature, sealing and tag, for which nonce, created and
 * features_incompat must be there already, as commit_begin has set them;
 * nothing is flushed or committed: that is commit_valid's work. ERR_NOSPACE:
 * the target is full, with the MiB that it has in the text. However it ends, all
 * threads have ended, nothing is in flight. On an error slot is unchanged but for a sealed
 * image's feature and sealing, which tell keywipe whether and where its key was written.
 */
err_t image_writer_run(struct image_writer *w, struct memory_source *source, const uint8_t *header,
		       size_t header_bytes, struct slot *slot) ERR_CHECK;

#endif
