/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where an image goes: extents of a block device (or of a file, in tests and
 * tools), read and written raw, past the page cache. Offsets are those of the
 * image's address space.
 */
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H

#include "base/err.h"
#include "base/extent.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET_NAME_MAX	    128
#define TARGET_NONCE_BYTES  16u
#define TARGET_SECTOR_BYTES 512u

struct target;

/*
 * Where the bytes of a target are in the end, by their place on the device. There
 * is one such device, the file descriptor; tests put a simulated disk in its
 * place, which loses what was not flushed. Whole or an error; from any thread.
 */
struct target_device {
	err_t (*read)(const struct target *t, void *buf, size_t n, uint64_t place);
	err_t (*write)(const struct target *t, const void *buf, size_t n, uint64_t place);
	err_t (*flush)(const struct target *t);
};

struct target {
	const struct target_device *device;
	void *device_data; /* of a simulated device */
	int fd;		   /* -1: closed, or simulated */
	char name[TARGET_NAME_MAX];
	uint64_t device_bytes;
	uint64_t bytes; /* of the address space: sum of the extents */
	uint32_t extent_count;
	struct extent *extents; /* in the order of the address space; owned */
	uint64_t *ends;		/* of each extent in the address space; owned */

	/* Of a located target, which lib/image/located.h makes; otherwise all zero. */
	uint64_t map_place; /* of its extent map's first block on the disk; 0: there is none */
	uint64_t locator;   /* place of the locator's sector on the disk; 0: it has none */
	uint8_t map_nonce[TARGET_NONCE_BYTES];
	uint8_t saved[TARGET_SECTOR_BYTES]; /* what the locator's sector holds without an image */
	bool map_gone;			    /* nothing but its head: there is no sound map ... */
	bool map_unreadable;		    /* ... or it could not be read, and may be whole */
};

/*
 * Open a block device or regular file by path, the whole of it as one extent
 * (rounded down to 4 KiB). O_DIRECT where the file system knows it (tmpfs does
 * not). exclusive: for a block device O_EXCL, so that nobody has it mounted:
 * ERR_REFUSED if somebody does. ERR_INVALID: not there, or not a device or file.
 */
err_t target_open(struct target *t, const char *path, bool writable, bool exclusive) ERR_CHECK;

/* The same with given extents instead of the whole. ERR_INVALID unless they are
 * whole 4 KiB blocks, lie within the device, and do not overlap. Extents may
 * stand in any order. *t is unchanged on error. */
err_t target_open_extents(struct target *t, const char *path, bool writable,
			  const struct extent *extents, uint32_t count) ERR_CHECK;

/* Other extents of an open target's device, by the same rules. Unchanged on error. */
err_t target_set_extents(struct target *t, const struct extent *extents, uint32_t count) ERR_CHECK;

/* Frees what it owns, also of a simulated one. Its name and sizes stay. Once more does no
 * harm. */
void target_close(struct target *t);

/* Are both names of one block device? */
bool target_same_device(const char *a, const char *b);

/*
 * Where a place of the address space lies: *device_offset on the device, and
 * how many bytes from there on are contiguous (at most n). ERR_NOSPACE past the end.
 */
err_t target_map(const struct target *t, uint64_t offset, uint64_t n, uint64_t *device_offset,
		 uint64_t *contiguous) ERR_CHECK;

/* buf, n and offset: multiples of 4096. Whole or an error. */
err_t target_read(const struct target *t, void *buf, size_t n, uint64_t offset) ERR_CHECK;
err_t target_write(const struct target *t, const void *buf, size_t n, uint64_t offset) ERR_CHECK;

/* Everything written so far is on the medium when this returns without error. */
err_t target_flush(const struct target *t) ERR_CHECK;

/* A buffer fit for direct I/O (4 KiB aligned), n a multiple of 4096; NULL without
 * memory. free() it. */
void *target_buffer(size_t n);

#endif
