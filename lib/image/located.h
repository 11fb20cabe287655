/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Located targets: their extents lie scattered on one bare disk, which has a list of them,
 * the extent map (docs/image-format.md, "Located targets"). Two kinds:
 *  - a file: its head, the first LOCATED_HEAD_BYTES, is contiguous, and whoever looks for
 *    it has its place; the map follows the slots there;
 *  - slots of swap in use: whoever looks for it has the place of the last sector of swap
 *    page 0. While an image counts that sector is its locator, which tells where the map is;
 *    what it held before is in the map, and is put back when the image is retired (commit.c).
 *
 * All places are bytes of the bare disk. The functions that take a path open the whole
 * disk, not exclusively, past the page cache; target_close closes and frees. The others
 * work on a disk that is open already as a whole (target_open; a simulated one), and turn
 * it into the located target; on an error it is still the whole disk.
 *
 * What commit.h does applies to located targets as it is. Of their slots only those count
 * that carry the map's nonce: others are as if nothing were there.
 */
#ifndef IMAGE_LOCATED_H
#define IMAGE_LOCATED_H

#include "base/err.h"
#include "base/extent.h"
#include "formats/slot.h"
#include "target/target.h"

#include <stdbool.h>
#include <stdint.h>

#define LOCATED_HEAD_BYTES SLOT_DATA_START
#define LOCATED_MAP_OFFSET 12288u /* of the map's first block, in the address space */
#define LOCATED_LOCATOR_AT 3584u  /* of the locator's sector, in swap page 0 */

/*
 * Bytes of the address space that these extents give, without what the map takes off its
 * end; 0 when they cannot be a target. They need not be sorted: the address space has them
 * as they stand here. Of more than EXTENTS_MAX the rest is not used, so the longest should
 * come first then.
 */
uint64_t located_bytes(const struct extent *extents, uint32_t count);

/* Where the map's first block will be: the page at LOCATED_MAP_OFFSET of them; 0 when they
 * are too small. */
uint64_t located_map_place(const struct extent *extents, uint32_t count);

/*
 * Lay a target out, for a new image with this nonce: the map is written, flushed and read
 * back; no slot and no locator is. Next comes commit_begin. locator: place of the sector
 * (swap page 0 + LOCATED_LOCATOR_AT), which is read; 0: a file, whose first extent is at
 * least the head.
 * What an image that was given up has left undone there (its locator) is finished first, and
 * what swapon has left of one is zeroed (locator_clear).
 * ERR_REFUSED: there is an image, retire it first; or the sector is the locator of one
 * whose map is gone. ERR_NOSPACE: too small, or no extents. ERR_INVALID: extents overlap
 * each other or the locator's page, are not whole blocks, or not on the disk.
 */
err_t located_create(const char *disk, const struct extent *extents, uint32_t count,
		     uint64_t locator, const uint8_t nonce[NONCE_BYTES], struct target *out)
	ERR_CHECK;
err_t located_lay(struct target *t, const struct extent *extents, uint32_t count, uint64_t locator,
		  const uint8_t nonce[NONCE_BYTES]) ERR_CHECK;

/* By the place of the map. ERR_FORMAT: there is no map; ERR_CORRUPT, ERR_UNSUPPORTED,
 * ERR_IO as usual. */
err_t located_open(const char *disk, bool writable, uint64_t map_place, struct target *out)
	ERR_CHECK;
err_t located_enter(struct target *t, uint64_t map_place) ERR_CHECK;

/*
 * A file, by the place of its head. Without a sound map it is the head alone, so that
 * slots can be looked at: map_gone is set, and map_unreadable where reading failed. Reading
 * an image then gives ERR_CORRUPT, or ERR_IO. ERR_UNSUPPORTED: a newer version's map.
 * ERR_INVALID: not whole blocks, or not on the disk.
 */
err_t located_open_head(const char *disk, bool writable, uint64_t head, struct target *out)
	ERR_CHECK;
err_t located_enter_head(struct target *t, uint64_t head) ERR_CHECK;

/*
 * Slots of swap in use, by the place of their locator. ERR_FORMAT: it is none, there is no
 * image, whatever else lies on the disk. ERR_CORRUPT: it is damaged, or what it says of the
 * map is not so: there was an image, and its sector cannot be put back. ERR_IO: it, or the
 * map, cannot be read: nobody knows. ERR_UNSUPPORTED: a newer version's.
 * Then commit_load; and commit_finish also when that says ERR_FORMAT, which puts the sector
 * back.
 */
err_t located_open_locator(const char *disk, bool writable, uint64_t locator, struct target *out)
	ERR_CHECK;
err_t located_enter_locator(struct target *t, uint64_t locator) ERR_CHECK;

/*
 * What the sector of a locator held before. The map has it, but lies in slots that are given
 * back, also when the sector could not be written: whoever keeps this beside it can put the
 * sector back without the map. Nothing leads to the image any more then, so that nothing can
 * be resumed that was not before.
 */
struct located_kept {
	uint64_t locator, map; /* places, as in the target that it is of */
	uint8_t nonce[NONCE_BYTES];
	uint8_t saved[TARGET_SECTOR_BYTES];
};

/* Of slots of swap in use. */
void located_keep(const struct target *t, struct located_kept *out);

/* t: the disk as a whole, which it stays. *due: the locator of that very image is there yet.
 * ERR_IO: nobody knows. ERR_INVALID: no place on this disk. */
err_t located_kept_due(const struct target *t, const struct located_kept *k, bool *due) ERR_CHECK;

/* The sector alone is written, flushed and read back. ERR_REFUSED: it is something else by
 * now; nothing is written. */
err_t located_put_back(const struct target *t, const struct located_kept *k) ERR_CHECK;

/* Has the target more than its head? ERR_CORRUPT, ERR_IO: why not (map_gone). */
err_t located_check(const struct target *t) ERR_CHECK;

#endif
