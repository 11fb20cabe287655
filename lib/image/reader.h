/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * target -> chunks -> codec -> pages in place, on all CPUs:
 *
 *   the calling thread goes through the index and feeds jobs, one for each
 *   chunk, to worker threads; it reads the image in large units, several in
 *   flight ahead of them (io_uring, O_DIRECT). The whole index is read and
 *   checked before the first page is placed, and every chunk's checksum, in a
 *   sealed image also its tag, before its pages are.
 *
 * Memory: 13 MiB whatever the number of threads, and the directory (1.4 KiB for
 * each GiB of the host at most).
 *
 * Safe on any bytes: what lies on the target is checked before it is used.
 * ERR_CORRUPT names what is damaged: "chunk at 0x12300000-0x1237ffff (128
 * pages): checksum differs".
 *
 * To save what is left of a damaged image, see image_reader_options.damaged.
 */
#ifndef IMAGE_READER_H
#define IMAGE_READER_H

#include "base/err.h"
#include "base/range.h"
#include "formats/hostinfo.h"
#include "formats/slot.h"
#include "image/parts.h"
#include "image/writer.h"
#include "keys/imagekeys.h"
#include "memory/source.h"
#include "target/target.h"

#include <stdbool.h>
#include <stdint.h>

struct image_reader_options {
	unsigned int threads; /* 1 .. 64 */
	bool sync_io;	      /* without io_uring, whether the kernel has it or not */

	/* Of a sealed image (ERR_AUTH without); borrowed. NULL: none. With keys, an image
	 * that is not sealed is ERR_AUTH. */
	const struct image_keys *keys;

	/* Whatever the host trusts free pages to hold: every page that may be filled and is
	 * not placed is, with zero where nothing else is asked for. So that nothing of
	 * whoever ran before remains. */
	bool fill_all;

	/* As in image_writer_options. */
	err_t (*tick)(void *arg, const struct image_progress *progress);
	void *tick_arg;

	/* NULL: damage ends the run. Otherwise index segments, entries and chunks
	 * that are damaged or cannot be read are told here (e is borrowed, one
	 * call at a time, from any thread) and left out, and all others placed,
	 * those read before a damaged index segment too. */
	void (*damaged)(void *arg, err_t e);
	void *damaged_arg;
};

/*
 * Read and check the whole index: checksums, order, every chunk within the
 * image, every page that it names in RAM of info->memory and outside of
 * info->windows, counts as the slot says. Bounded memory. Of a sealed image (keys,
 * else ERR_AUTH) also that all of it was made with its key.
 */
err_t image_check_index(const struct target *t, const struct slot *slot,
			const struct image_keys *keys, const struct hostinfo *info) ERR_CHECK;

/* Also every chunk's checksum and that it decompresses; nothing is placed. */
err_t image_verify(const struct target *t, const struct slot *slot, const struct hostinfo *info,
		   const struct image_reader_options *options) ERR_CHECK;

/*
 * Put every page back: image_check_index, then all chunks. Pages of RAM outside
 * of the windows that the image leaves out get what info->free_fill says (but
 * page 0, which is the firmware's). However it ends, all threads have ended and
 * nothing is in flight.
 */
err_t image_restore(const struct target *t, const struct slot *slot, const struct hostinfo *info,
		    struct memory_sink *sink, const struct image_reader_options *options) ERR_CHECK;

#endif
