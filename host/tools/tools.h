/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commands that work with images on any machine, without root. What they
 * return decides the exit code: tools_exit_code.
 */
#ifndef HOST_TOOLS_H
#define HOST_TOOLS_H

#include "base/err.h"
#include "cipher/cipher.h"
#include "codec/codec.h"

#include <stdbool.h>
#include <stdint.h>

struct tool_options {
	const char *from, *to;	   /* the files, as the command has them */
	struct codec_choice codec; /* pack */
	unsigned int threads;
	bool all_pages;	 /* pack: free pages too */
	bool force;	 /* pack, unpack: replace a file */
	bool keep_going; /* unpack: leave out what is damaged */
	bool json;	 /* inspect */
	uint64_t at;	 /* inspect, verify, unpack: where on a disk, imagefile.h */
	/* pack: pins (config/pins.h), or a header like keys.luks, which goes into it: to whose
	 * public key it is sealed; NULL */
	const char *seal;
	const struct cipher *cipher; /* with seal; NULL: what this CPU is fastest with */
	const char *secret,
		*key_file; /* of those that read: files, host/tools/unseal.h; NULL: none */
};

/*
 * An ELF memory dump into an image: the same pipeline as hibernation. to: a file
 * that is not there yet, or a block device without an image.
 */
err_t pack_run(const struct tool_options *o) ERR_CHECK;

/*
 * The reverse. With keep_going, what is damaged is told on stderr and left out,
 * and the dump is made all the same, before ERR_CORRUPT is returned.
 */
err_t unpack_run(const struct tool_options *o) ERR_CHECK;

/* Check every byte of an image; of a sealed one that is not opened, what can be checked. */
err_t verify_run(const struct tool_options *o) ERR_CHECK;

/* Say what an image is, to stdout. */
err_t inspect_run(const struct tool_options *o) ERR_CHECK;

/* What the program ends with. e: what one of the above returned. */
int tools_exit_code(err_t e);

#endif
