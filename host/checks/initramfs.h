/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an initramfs file has of ours: can the next boot resume? */
#ifndef HOST_INITRAMFS_H
#define HOST_INITRAMFS_H

#include "base/err.h"
#include "config/config.h"
#include "keys/token.h"

#include <stdbool.h>
#include <stdint.h>

/* Libraries without which tokens open nothing, loaded by name (initramfs/unlock-needs). */
struct initramfs_library {
	enum token_kind kind;
	const char *name;
};

#define INITRAMFS_LIBRARIES 7
extern const struct initramfs_library initramfs_libraries[INITRAMFS_LIBRARIES];

struct initramfs {
	bool resume;		 /* usr/lib/dormouse/resume is in it */
	bool writer;		 /* both files of the writer are */
	bool unlock;		 /* usr/lib/dormouse/unlock is: it can open encrypted images */
	bool config;		 /* its configuration can be read: else it passes by every image */
	bool encrypt;		 /* that says so, or nothing: no others are believed */
	bool pins;		 /* etc/dormouse/pins is in it */
	unsigned int libraries;	 /* of initramfs_libraries those that are, a bit each */
	uint8_t sha256[32];	 /* of the writer, as struct writer_files has it; zero without */
	uint8_t pins_sha256[32]; /* of the pins; zero without */
	/* Where it looks for images: its configuration's, or else its pins' */
	char targets[CONFIG_TARGETS_MAX][CONFIG_TEXT_MAX];
	uint32_t target_count;
};

/*
 * Read the file: cpio archives one after the other, of which the last may be
 * compressed, as the kernel takes it. Takes half a second or so. ERR_CORRUPT
 * when it is no such file, ERR_IO when it cannot be read.
 */
err_t initramfs_scan(const char *path, struct initramfs *out) ERR_CHECK;

/*
 * The same, out of the cache (a file in dir) if path is the file that it was:
 * same device, inode, size and times. A cache that cannot be read or written
 * is no error. The folder must be writable for root only.
 */
err_t initramfs_scan_cached(const char *path, const char *dir, struct initramfs *out) ERR_CHECK;

#endif
