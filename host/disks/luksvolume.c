/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/luksvolume.h"

#include "base/log.h"
#include "base/util.h"
#include "host/disks/ondisk.h"
#include "keys/locked.h"
#include "keys/passphrase.h"
#include "keys/volume.h"
#include "target/cryptmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAPPING "dormouse-target"

static err_t check_free(const char *device, dev_t *dev)
{
	CLEANUP_CLOSE int fd = -1;
	struct stat st;

	TRY(cryptmap_close(MAPPING)); /* of a run that was killed; it has the device open */
	fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return err_new(ERR_REFUSED, "%s is in use: opened by cryptsetup, or mounted",
			       device);
	if (fd < 0 || fstat(fd, &st))
		return err_errno("%s", device);
	if (!S_ISBLK(st.st_mode))
		return err_new(ERR_INVALID, "%s is no disk or partition", device);
	*dev = st.st_rdev;
	return NULL;
}

/* Where the partition's area is on the disk. */
static err_t place_on_disk(dev_t dev, struct luksvolume *v, uint64_t *start)
{
	CLEANUP_FREE struct ondisk *o = malloc(sizeof(*o));
	CLEANUP_EXTENTLIST struct extentlist in = {0}, out = {0};

	if (!o)
		return err_new(ERR_NOMEM, "looking at %s", v->device);
	TRY(ondisk_find(dev, o));
	if (o->encrypted)
		return err_new(ERR_REFUSED, "%s is itself on an encrypted device", v->device);
	v->area->bytes = align_down(v->area->bytes, PAGE_BYTES);
	TRY(extentlist_add(&in, v->area->start, v->area->bytes));
	TRY(ondisk_map(o, &in, &out));
	if (out.count != 1)
		return err_new(ERR_REFUSED, "%s is in %u pieces on its disk", v->device, out.count);
	*start = out.list[0].start;
	v->disk_bytes = o->disk_bytes;
	return NULL;
}

err_t luksvolume_check(const char *device)
{
	if (!access(LUKSVOLUME_KEY, R_OK))
		return NULL;
	return err_new(
		ERR_REFUSED,
		"the writer is to open %s, and there is no key for it. Make one, on an "
		"encrypted filesystem: (umask 077; mkdir -p /etc/dormouse; dd if=/dev/urandom "
		"of=" LUKSVOLUME_KEY " bs=64 count=1); cryptsetup luksAddKey %s " LUKSVOLUME_KEY,
		device, device);
}

err_t luksvolume_check_free(const char *device)
{
	dev_t dev;

	return check_free(device, &dev);
}

static err_t open_by_file(const char *device, struct encrypted_area *area)
{
	struct passphrase *p;
	err_t e;

	TRY(passphrase_create(&p));
	e = passphrase_load(LUKSVOLUME_KEY, p);
	if (!e)
		e = volume_open(device, p->text, p->n, area);
	passphrase_destroy(p);
	return e;
}

static err_t open_volume(struct luksvolume *v)
{
	uint64_t on_disk = 0;
	dev_t dev = 0;
	void *area;

	TRY(luksvolume_check(v->device));
	TRY(check_free(v->device, &dev));
	TRY(locked_create(sizeof(*v->area), &area));
	v->area = area;
	TRY(open_by_file(v->device, v->area));
	TRY(place_on_disk(dev, v, &on_disk));
	/* Of the partition: the kernel does not give us a disk of which others use a part. The
	 * writer sees the disk alone. */
	TRY(cryptmap_open(MAPPING, dev, v->area, v->path, sizeof(v->path)));
	v->area->start = on_disk;
	return NULL;
}

err_t luksvolume_open(const char *device, struct luksvolume *out)
{
	err_t e;

	memset(out, 0, sizeof(*out));
	snprintf(out->device, sizeof(out->device), "%s", device);
	e = open_volume(out);
	if (e)
		luksvolume_close(out);
	return e;
}

void luksvolume_close(struct luksvolume *v)
{
	err_t e = v->path[0] ? cryptmap_close(MAPPING) : NULL;

	if (e)
		log_warn("%s", err_text(e));
	err_free(e);
	locked_destroy(v->area, sizeof(*v->area));
	v->area = NULL;
	v->path[0] = '\0';
}

err_t luksvolume_mark(struct luksvolume *v, bool image)
{
	TRY(volume_mark(v->device, image));
	v->marked = image;
	return NULL;
}
