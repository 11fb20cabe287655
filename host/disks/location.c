/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/location.h"

#include "base/io.h"
#include "base/text.h"
#include "base/util.h"
#include "fingerprint/disk.h"
#include "host/disks/filemap.h"
#include "host/disks/fspath.h"
#include "host/disks/stack.h"
#include "host/disks/swaps.h"
#include "host/disks/swapslots.h"
#include "image/located.h"
#include "keys/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define EXT_UUID_BYTES 16u
#define EXT_UUID_AT    (1024u + 104u) /* s_uuid of the superblock */

bool location_is_swap(const struct location *l)
{
	return l->kind == LOCATION_SWAP || l->kind == LOCATION_SWAPFILE;
}

bool location_is_located(const struct location *l)
{
	return location_is_swap(l) || l->kind == LOCATION_FILE;
}

const char *location_what(const struct location *l)
{
	static const char *const names[] = {
		[LOCATION_NONE] = "nothing",
		[LOCATION_DEVICE] = "a disk or partition",
		[LOCATION_SWAP] = "a swap area in use",
		[LOCATION_SWAPFILE] = "a swap file in use",
		[LOCATION_FILE] = "a file",
		[LOCATION_LUKS] = "a LUKS partition that the writer opens",
	};

	return names[l->kind];
}

void location_deinit(struct location *l)
{
	if (l->kind != LOCATION_NONE && l->fd >= 0)
		close(l->fd);
	extentlist_deinit(&l->slots);
	extentlist_deinit(&l->extents);
	l->kind = LOCATION_NONE;
	l->fd = -1;
}

static void set_pin(struct location *l, enum pin_kind kind, uint64_t byte)
{
	char identity[PRINT_IDENTITY_MAX];

	memset(&l->pin, 0, sizeof(l->pin));
	l->pin.kind = kind;
	l->pin.byte = byte;
	l->pin.disk_bytes = l->disk.disk_bytes;
	disk_identity(l->disk.folder, identity);
	pins_identity(identity, l->pin.identity);
	snprintf(l->pin.target, sizeof(l->pin.target), "%s", l->name);
}

/* Where the swap header is, on the disk. */
static err_t pin_swap(struct location *l)
{
	CLEANUP_EXTENTLIST struct extentlist page = {0}, place = {0};

	TRY(extentlist_add(&page, l->swap_page * PAGE_BYTES, PAGE_BYTES));
	TRY(ondisk_map(&l->disk, &page, &place));
	set_pin(l, PIN_LOCATOR, place.list[0].start + LOCATED_LOCATOR_AT);
	return NULL;
}

static err_t ext_uuid(const char *device, uint8_t uuid[EXT_UUID_BYTES])
{
	CLEANUP_CLOSE int fd = open(device, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno("opening %s", device);
	return io_pread(fd, uuid, EXT_UUID_BYTES, EXT_UUID_AT, device);
}

/* So that a boot can ask the filesystem itself, if it finds it by itself; otherwise the pin
 * alone must do. */
static void pin_ext(struct location *l)
{
	uint8_t u[EXT_UUID_BYTES];
	char device[64];
	err_t e = NULL;

	if (!stack_is_disk(l->dev))
		return;
	stack_name(l->dev, device, sizeof(device));
	e = ext_uuid(device, u);
	if (!e)
		e = fspath_of(l->fd, l->name, l->pin.ext_path, sizeof(l->pin.ext_path));
	if (!e && pins_can_hold(l->pin.ext_path))
		text_uuid(u, l->pin.ext_uuid);
	else
		l->pin.ext_path[0] = '\0';
	err_free(e);
}

static err_t pin_file(struct location *l, bool ext)
{
	if (!l->extents.count || l->extents.list[0].length < LOCATED_HEAD_BYTES)
		return err_new(ERR_REFUSED,
			       "%s is empty, or begins with too small a piece; remove it, and run "
			       "dormouse setup",
			       l->name);
	set_pin(l, PIN_HEAD, l->extents.list[0].start);
	if (ext)
		pin_ext(l);
	return NULL;
}

/* By its file: the device, and its extents there. */
static err_t look_at_file(struct location *l, bool frozen, struct filemap *m)
{
	TRY(filemap_read(l->fd, l->name, frozen, m));
	l->dev = m->dev;
	if (!m->extents.count)
		return err_new(ERR_REFUSED, "%s is empty; remove it, and run dormouse setup",
			       l->name);
	l->swap_page = m->extents.list[0].start / PAGE_BYTES;
	return NULL;
}

err_t location_map(struct location *l, bool frozen)
{
	CLEANUP_FILEMAP struct filemap m = {.dev = 0};
	const struct extentlist *on_dev = &l->slots;

	if (l->fd >= 0)
		TRY(look_at_file(l, frozen, &m));
	TRY(ondisk_find(l->dev, &l->disk));
	extentlist_deinit(&l->extents);
	if (l->kind == LOCATION_FILE)
		on_dev = &m.extents;
	TRY(ondisk_map(&l->disk, on_dev, &l->extents));
	if (l->kind == LOCATION_FILE)
		TRY(extentlist_keep_longest(&l->extents, EXTENTS_MAX));
	return location_is_swap(l) ? pin_swap(l) : pin_file(l, !frozen && !strcmp(m.type, "ext"));
}

/* A device that cannot be found on one disk may still be a target; then no pin tells of it. */
static void try_ondisk(struct location *l)
{
	err_t e = ondisk_find(l->dev, &l->disk);

	if (!e && l->kind == LOCATION_DEVICE)
		e = pin_swap(l);
	if (e)
		l->disk.count = 0;
	err_free(e);
}

static uint64_t swap_room(const struct swap *swap)
{
	return swapslots_room(swap->bytes - min_u64(swap->used, swap->bytes));
}

uint64_t location_locator(const struct location *l)
{
	switch (l->pin.kind) {
	case PIN_HEAD:
		return l->pin.byte + LOCATED_LOCATOR_AT;
	case PIN_LOCATOR:
		return l->pin.byte;
	}
	return 0;
}

static err_t find_device(struct location *l, const struct swap *swap)
{
	CLEANUP_CLOSE int fd = open(l->name, O_RDONLY | O_CLOEXEC);
	uint64_t bytes = 0;

	if (fd < 0)
		return err_errno("opening %s", l->name);
	if (swap) {
		l->kind = LOCATION_SWAP;
		l->room = swap_room(swap);
		return location_map(l, false);
	}
	l->kind = LOCATION_DEVICE;
	if (ioctl(fd, BLKGETSIZE64, &bytes))
		return err_errno("size of %s", l->name);
	l->room = align_down(bytes, PAGE_BYTES);
	try_ondisk(l);
	return NULL;
}

static err_t find_file(struct location *l, const struct swap *swap)
{
	l->kind = swap ? LOCATION_SWAPFILE : LOCATION_FILE;
	l->fd = open(l->name, O_RDONLY | O_CLOEXEC);
	if (l->fd < 0)
		return err_errno("opening %s", l->name);
	TRY(location_map(l, false));
	l->room = swap ? swap_room(swap) : located_bytes(l->extents.list, l->extents.count);
	return NULL;
}

const char *location_device(const struct location *l)
{
	return l->kind == LOCATION_LUKS ? config_luks_device(l->name) : l->name;
}

static err_t find_luks(struct location *l)
{
	struct encrypted_area area;
	struct stat st;

	l->kind = LOCATION_LUKS;
	if (stat(location_device(l), &st) || !S_ISBLK(st.st_mode))
		return err_new(ERR_INVALID, "the target %s is not there, or no device", l->name);
	l->dev = st.st_rdev;
	TRY(volume_describe(location_device(l), &area));
	l->room = align_down(area.bytes, PAGE_BYTES);
	try_ondisk(l);
	return NULL;
}

err_t location_find(const char *name, struct location *out)
{
	CLEANUP_FREE struct swaps *swaps = malloc(sizeof(*swaps));
	const struct swap *swap;
	struct stat st;

	memset(out, 0, sizeof(*out));
	out->fd = -1;
	snprintf(out->name, sizeof(out->name), "%s", name);
	if (!swaps)
		return err_new(ERR_NOMEM, "looking at %s", name);
	if (config_luks_device(name))
		return find_luks(out);
	if (stat(name, &st))
		return err_new(ERR_INVALID, "the target %s is not there: %s%s", name,
			       strerror(errno),
			       errno == ENOENT && strncmp(name, "/dev/", 5)
				       ? " (dormouse setup makes a file there)"
				       : "");
	TRY(swaps_read(swaps));
	swap = swaps_find(swaps, name);
	out->dev = st.st_rdev;
	if (S_ISBLK(st.st_mode))
		return find_device(out, swap);
	if (S_ISREG(st.st_mode))
		return find_file(out, swap);
	return err_new(ERR_INVALID, "the target %s is neither a disk, a partition nor a file",
		       name);
}

err_t location_pin(const struct location *l, const struct pins *before, struct pins *pins)
{
	bool was_swap = l->pin.kind == PIN_LOCATOR && pins_of(before, l->name);

	return location_is_located(l) || was_swap ? pins_set(pins, &l->pin) : NULL;
}

/* One is left from when it was swap in use, and may be so again. */
static err_t check_device(const struct location *l, const struct pin *pin)
{
	if (!pin || pins_same_place(pin, &l->pin))
		return NULL;
	return err_new(ERR_REFUSED,
		       "the target %s is not where it was set up (at byte %llu of a disk of %llu "
		       "bytes, %s), and a boot would look there: run dormouse setup",
		       l->name, (unsigned long long)pin->byte, (unsigned long long)pin->disk_bytes,
		       *pin->identity ? pin->identity : "-");
}

err_t location_check_pin(const struct location *l, const struct pins *pins)
{
	const struct pin *pin = pins_of(pins, l->name);

	if (!location_is_located(l))
		return check_device(l, pin);
	if (!pin)
		return err_new(ERR_REFUSED,
			       "the target %s is %s, and no boot would find it: run dormouse setup",
			       l->name, location_what(l));
	if (pin->kind != l->pin.kind)
		return err_new(ERR_REFUSED,
			       "the target %s is %s now, and was not when it was set up: run "
			       "dormouse setup",
			       l->name, location_what(l));
	if (pin->byte != l->pin.byte)
		return err_new(ERR_REFUSED,
			       "the target %s has moved since it was set up (it was at byte %llu, "
			       "and is at byte %llu of %s): run dormouse setup",
			       l->name, (unsigned long long)pin->byte,
			       (unsigned long long)l->pin.byte, l->disk.disk_name);
	if (!pins_same_place(pin, &l->pin))
		return err_new(
			ERR_REFUSED,
			"the target %s has moved since it was set up: its disk %s has "
			"another size or serial number than that one had: run dormouse setup",
			l->name, l->disk.disk_name);
	return NULL;
}

err_t location_check_ext(const struct location *l, const struct pins *pins)
{
	const struct pin *pin = pins_of(pins, l->name);

	if (!pin || !location_is_located(l) || pins_same_file(pin, &l->pin))
		return NULL;
	return err_new(ERR_REFUSED,
		       "the target %s has another name in its filesystem (%s, and was %s), or that "
		       "another UUID, than when it was set up, and a boot would not find it: run "
		       "dormouse setup",
		       l->name, *l->pin.ext_path ? l->pin.ext_path : "unknown",
		       *pin->ext_path ? pin->ext_path : "unknown");
}
