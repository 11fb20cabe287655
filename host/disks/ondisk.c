/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/ondisk.h"

#include "base/io.h"
#include "base/util.h"
#include "host/disks/stack.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

static err_t check_piece(const struct ondisk *o, const struct bottom *b)
{
	if (b->raid)
		return err_new(ERR_REFUSED, "%s lies on a RAID; an image must lie on one bare disk",
			       o->name);
	if (b->paths)
		return err_new(ERR_REFUSED,
			       "%s lies on a disk with several paths (multipath), which the writer "
			       "would not find",
			       o->name);
	if (o->disk && o->disk != b->disk)
		return err_new(ERR_REFUSED,
			       "%s lies on more than one disk; an image must lie on one", o->name);
	if (o->count == ONDISK_PIECES_MAX)
		return err_new(ERR_REFUSED, "%s lies in more than %u pieces on its disk", o->name,
			       ONDISK_PIECES_MAX);
	return NULL;
}

err_t ondisk_take(const struct bottom *b, void *ctx)
{
	struct ondisk *o = ctx;
	struct ondisk_piece *last = o->count ? &o->pieces[o->count - 1] : NULL;

	TRY(check_piece(o, b));
	o->disk = b->disk;
	o->disk_bytes = b->bytes;
	o->encrypted |= b->encrypted;
	snprintf(o->folder, sizeof(o->folder), "%s", b->folder);
	if (last && last->at + last->length == b->at && last->offset + last->length == b->offset)
		last->length += b->length;
	else
		o->pieces[o->count++] = (struct ondisk_piece){b->at, b->length, b->offset};
	return NULL;
}

static err_t device_bytes(dev_t dev, uint64_t *out)
{
	CLEANUP_FREE char *text = NULL;
	char path[64];
	size_t n;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/size", major(dev), minor(dev));
	TRY(io_read_file(path, 64, &text, &n));
	*out = strtoull(text, NULL, 10) * 512;
	return NULL;
}

err_t ondisk_find(dev_t dev, struct ondisk *out)
{
	uint64_t bytes = 0;

	memset(out, 0, sizeof(*out));
	stack_name(dev, out->name, sizeof(out->name));
	TRY(stack_check(dev));
	TRY(device_bytes(dev, &bytes));
	TRY(bottom_find(dev, 0, bytes, ondisk_take, out));
	if (!out->count)
		return err_new(ERR_REFUSED,
			       "%s lies in memory or in a file, not on a disk of its own",
			       out->name);
	if (!stack_is_disk(out->disk))
		return err_new(ERR_REFUSED, "%s does not lie on a disk that the writer would find",
			       out->name);
	stack_name(out->disk, out->disk_name, sizeof(out->disk_name));
	return NULL;
}

/* The piece that has this byte of the device, or NULL. */
static const struct ondisk_piece *piece_at(const struct ondisk *o, uint64_t at)
{
	for (uint32_t i = 0; i < o->count; i++) {
		const struct ondisk_piece *p = &o->pieces[i];

		if (at >= p->at && at - p->at < p->length)
			return p;
	}
	return NULL;
}

static err_t map_one(const struct ondisk *o, const struct extent *e, struct extentlist *out)
{
	for (uint64_t done = 0; done < e->length;) {
		uint64_t at = e->start + done, place, n;
		const struct ondisk_piece *p = piece_at(o, at);

		if (!p)
			return err_new(ERR_REFUSED, "byte %llu of %s lies on no disk",
				       (unsigned long long)at, o->name);
		place = p->offset + (at - p->at);
		n = min_u64(e->length - done, p->length - (at - p->at));
		if (place % PAGE_BYTES || n % PAGE_BYTES)
			return err_new(
				ERR_REFUSED,
				"what would be written to on %s is not in whole 4 KiB blocks "
				"of its disk %s: its partition is not aligned, or the blocks "
				"of the filesystem on it are smaller",
				o->name, o->disk_name);
		TRY(extentlist_add(out, place, n));
		done += n;
	}
	return NULL;
}

err_t ondisk_map(const struct ondisk *o, const struct extentlist *in, struct extentlist *out)
{
	for (uint32_t i = 0; i < in->count; i++)
		TRY(map_one(o, &in->list[i], out));
	return NULL;
}
