/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bare disks, as any kernel finds them by itself, read past the page cache. */
#ifndef FINGERPRINT_DISK_H
#define FINGERPRINT_DISK_H

#include "base/err.h"
#include "formats/prints.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DISK_PIECE_MAX (64u << 10) /* bytes that disk_read gives at most */

/* Where to look; both NULL: /sys/class/block and /dev. For tests. */
struct disk_where {
	const char *sys, *dev;
};

struct disk {
	char name[64]; /* "vda" */
	uint64_t bytes;
	char identity[PRINT_IDENTITY_MAX]; /* empty: it has none that its driver knows */
};

#define DISKS_MAX 1024

/*
 * All disks there are now, without partitions and without what the kernel makes of
 * other devices (dm, md, loop), or hides. Into a new array, the caller's to free.
 */
err_t disk_scan(const struct disk_where *where, struct disk **out, size_t *count) ERR_CHECK;

/* A disk's identity by its folder in /sys: serial, wwid or the like; its last
 * PRINT_IDENTITY_MAX - 1 characters. Empty without one. */
void disk_identity(const char *folder, char out[PRINT_IDENTITY_MAX]);

/* The disk that a device is, or is a partition of: its size, and where the device begins on
 * it. ERR_INVALID: it is neither. */
err_t disk_of(dev_t dev, uint64_t *start, uint64_t *disk_bytes) ERR_CHECK;

/* Its name in /dev, of n bytes. */
void disk_path(const struct disk_where *where, const struct disk *disk, char *out, size_t n);

/* For reading, past the page cache. */
err_t disk_open(const struct disk_where *where, const struct disk *disk, int *fd) ERR_CHECK;

/*
 * Bytes of it, whole or an error. offset and n: multiples of 512, n at most
 * DISK_PIECE_MAX; room is target of direct I/O, DISK_PIECE_MAX + 2 * 4096 bytes,
 * 4 KiB aligned; *out points into it.
 */
err_t disk_read(int fd, const struct disk *disk, uint8_t *room, uint64_t offset, size_t n,
		const uint8_t **out) ERR_CHECK;

/* Room for disk_read; NULL without memory. free() it. */
uint8_t *disk_room(void);

#endif
