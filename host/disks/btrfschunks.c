/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/btrfschunks.h"

#include "base/bytes.h"
#include "base/util.h"

#include <linux/btrfs_tree.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define SEARCH_BYTES (64u << 10)

void btrfschunks_deinit(struct btrfschunks *c)
{
	free(c->list);
	*c = (struct btrfschunks){.list = NULL};
}

static err_t add(struct btrfschunks *c, const struct btrfs_place *p)
{
	if (c->count == c->room) {
		uint32_t room = c->room ? 2 * c->room : 64;
		struct btrfs_place *more = reallocarray(c->list, room, sizeof(*more));

		if (!more)
			return err_new(ERR_NOMEM, "no memory for %u chunks", room);
		c->list = more;
		c->room = room;
	}
	c->list[c->count++] = *p;
	return NULL;
}

/* The kernel gives items as they are on disk: little endian (linux/btrfs_tree.h). */
static uint64_t le64_at(const uint8_t *p)
{
	le64_t x;

	memcpy(&x, p, sizeof(x));
	return le64_get(x);
}

static err_t take_chunk(const uint8_t *item, uint64_t logical, size_t n, struct btrfschunks *out)
{
	struct btrfs_place p = {.logical = logical};

	if (n < sizeof(struct btrfs_chunk))
		return err_new(ERR_CORRUPT, "btrfs has a chunk of %zu bytes", n);
	p.length = le64_at(item + offsetof(struct btrfs_chunk, length));
	p.profile =
		le64_at(item + offsetof(struct btrfs_chunk, type)) & BTRFS_BLOCK_GROUP_PROFILE_MASK;
	p.devid = le64_at(item + offsetof(struct btrfs_chunk, stripe.devid));
	p.offset = le64_at(item + offsetof(struct btrfs_chunk, stripe.offset));
	if (!p.length || p.logical > UINT64_MAX - p.length || p.offset > UINT64_MAX - p.length)
		return err_new(ERR_CORRUPT, "btrfs has a chunk of impossible size");
	return add(out, &p);
}

err_t btrfschunks_take(const uint8_t *buf, size_t n, uint32_t items, struct btrfschunks *out,
		       uint64_t *next)
{
	struct btrfs_ioctl_search_header h;

	for (size_t at = 0; items; items--, at += h.len) {
		if (n - at < sizeof(h))
			return err_new(ERR_CORRUPT, "btrfs gave half an item");
		memcpy(&h, buf + at, sizeof(h));
		at += sizeof(h);
		if (n - at < h.len)
			return err_new(ERR_CORRUPT, "btrfs gave half an item");
		if (h.type == BTRFS_CHUNK_ITEM_KEY)
			TRY(take_chunk(buf + at, h.offset, h.len, out));
		*next = h.offset + 1;
	}
	return NULL;
}

static err_t read_chunks(int fd, const char *path, struct btrfschunks *out)
{
	CLEANUP_FREE struct btrfs_ioctl_search_args_v2 *args = malloc(sizeof(*args) + SEARCH_BYTES);
	uint64_t next = 0;

	if (!args)
		return err_new(ERR_NOMEM, "looking at the chunks of btrfs");
	do {
		memset(args, 0, sizeof(*args));
		args->buf_size = SEARCH_BYTES;
		args->key = (struct btrfs_ioctl_search_key){
			.tree_id = BTRFS_CHUNK_TREE_OBJECTID,
			.min_objectid = BTRFS_FIRST_CHUNK_TREE_OBJECTID,
			.max_objectid = BTRFS_FIRST_CHUNK_TREE_OBJECTID,
			.min_offset = next,
			.max_offset = UINT64_MAX,
			.max_transid = UINT64_MAX,
			.min_type = BTRFS_CHUNK_ITEM_KEY,
			.max_type = BTRFS_CHUNK_ITEM_KEY,
			.nr_items = UINT32_MAX,
		};
		if (ioctl(fd, BTRFS_IOC_TREE_SEARCH_V2, args))
			return err_errno("looking at the chunks of btrfs beneath %s", path);
		TRY(btrfschunks_take((const uint8_t *)args->buf, SEARCH_BYTES, args->key.nr_items,
				     out, &next));
	} while (args->key.nr_items);
	return NULL;
}

/* Of the only device there is. */
static err_t find_device(int fd, const char *path, dev_t *dev, uint64_t *devid)
{
	struct btrfs_ioctl_fs_info_args info = {0};
	struct btrfs_ioctl_dev_info_args device = {0};
	struct stat st;

	if (ioctl(fd, BTRFS_IOC_FS_INFO, &info))
		return err_errno("%s: looking at its btrfs", path);
	if (info.num_devices != 1)
		return err_new(ERR_REFUSED,
			       "%s lies on a btrfs of %llu devices; an image must lie on one disk",
			       path, (unsigned long long)info.num_devices);
	device.devid = info.max_id;
	if (ioctl(fd, BTRFS_IOC_DEV_INFO, &device))
		return err_errno("%s: looking at the device of its btrfs", path);
	if (stat((const char *)device.path, &st))
		return err_errno("%s", (const char *)device.path);
	if (!S_ISBLK(st.st_mode))
		return err_new(ERR_REFUSED, "%s lies on a btrfs that is on no block device", path);
	*dev = st.st_rdev;
	*devid = device.devid;
	return NULL;
}

err_t btrfschunks_read(int fd, const char *path, dev_t *dev, struct btrfschunks *out)
{
	TRY(find_device(fd, path, dev, &out->devid));
	return read_chunks(fd, path, out);
}

static const struct btrfs_place *chunk_at(const struct btrfschunks *c, uint64_t logical)
{
	for (uint32_t i = 0; i < c->count; i++) {
		const struct btrfs_place *p = &c->list[i];

		if (logical >= p->logical && logical - p->logical < p->length)
			return p;
	}
	return NULL;
}

err_t btrfschunks_map(const struct btrfschunks *c, const char *path, uint64_t logical,
		      uint64_t length, struct extentlist *out)
{
	while (length) {
		const struct btrfs_place *p = chunk_at(c, logical);
		uint64_t n;

		if (!p)
			return err_new(ERR_CORRUPT, "%s lies where its btrfs has no chunk", path);
		if (p->profile)
			return err_new(ERR_REFUSED,
				       "%s lies on a btrfs with more than one copy of data, or "
				       "stripes (profile %#llx); only \"single\" can be written to "
				       "from outside",
				       path, (unsigned long long)p->profile);
		if (p->devid != c->devid)
			return err_new(
				ERR_REFUSED,
				"%s lies on the seed of its btrfs (device %llu), which other "
				"filesystems may share; make it anew on the device that was "
				"added (%llu): remove it, and run dormouse setup",
				path, (unsigned long long)p->devid, (unsigned long long)c->devid);
		n = min_u64(length, p->length - (logical - p->logical));
		TRY(extentlist_add(out, p->offset + (logical - p->logical), n));
		logical += n;
		length -= n;
	}
	return NULL;
}
