/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writer as it is shipped: writer.vmlinux.lz4 and writer.cpio in one folder. */
#ifndef JUMP_WRITER_FILES_H
#define JUMP_WRITER_FILES_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define WRITER_DIR	   "/usr/lib/dormouse"
#define WRITER_KERNEL_FILE "writer.vmlinux.lz4"
#define WRITER_INITRD_FILE "writer.cpio"

struct writer_files {
	uint8_t *vmlinux; /* ELF, unpacked */
	size_t vmlinux_bytes;
	uint8_t *initrd;
	size_t initrd_bytes;
	uint8_t sha256[32]; /* over both files as shipped, kernel first */
};

/* ERR_REFUSED when a file is missing, ERR_CORRUPT when it cannot be unpacked. */
err_t writer_files_load(const char *dir, struct writer_files *out) ERR_CHECK;
void writer_files_free(struct writer_files *w);

#endif
