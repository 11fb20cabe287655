/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "target/cryptmap.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#define CONTROL	   "/dev/mapper/control"
#define SECTOR	   512u
#define PARAMS_MAX 512u

/* What goes in: the head, one line of a table, its parameters. */
struct request {
	struct dm_ioctl head;
	struct dm_target_spec line;
	char params[PARAMS_MAX];
};

static void request_init(struct request *r, const char *name)
{
	memset(r, 0, sizeof(*r));
	r->head.version[0] = DM_VERSION_MAJOR;
	r->head.data_size = sizeof(*r);
	r->head.data_start = offsetof(struct request, line);
	snprintf(r->head.name, sizeof(r->head.name), "%s", name);
}

/* CIPHER KEY IV_OFFSET DEV START [OPTIONS] */
static void write_line(struct request *r, dev_t disk, const struct encrypted_area *area)
{
	char hex[2 * ENCRYPTEDAREA_KEY_MAX + 1] = "", options[48] = "";

	for (uint32_t i = 0; i < area->key_bytes; i++)
		snprintf(hex + 2 * i, 3, "%02x", area->key[i]);
	if (area->sector_bytes != SECTOR)
		snprintf(options, sizeof(options), " 1 sector_size:%u", area->sector_bytes);
	r->head.target_count = 1;
	r->head.flags = DM_SECURE_DATA_FLAG;
	r->line.length = area->bytes / SECTOR;
	strcpy(r->line.target_type, "crypt");
	snprintf(r->params, sizeof(r->params), "%s %s %llu %u:%u %llu%s", area->cipher, hex,
		 (unsigned long long)area->iv_offset, major(disk), minor(disk),
		 (unsigned long long)(area->start / SECTOR), options);
	explicit_bzero(hex, sizeof(hex));
}

static err_t ask_kernel(int fd, unsigned long what, struct request *r, const char *doing)
{
	char name[DM_NAME_LEN];

	memcpy(name, r->head.name, sizeof(name)); /* which the kernel clears */
	if (!ioctl(fd, what, r))
		return NULL;
	if (errno == EBUSY)
		return err_new(ERR_REFUSED, "%s the mapping %s: busy, or there already", doing,
			       name);
	return err_errno("%s the mapping %s", doing, name);
}

static err_t open_control(int *fd)
{
	*fd = open(CONTROL, O_RDWR | O_CLOEXEC);
	return *fd >= 0 ? NULL : err_new(ERR_UNSUPPORTED, "no device mapper (%s): %m", CONTROL);
}

static err_t load_and_start(int fd, const char *name, dev_t disk, const struct encrypted_area *area)
{
	struct request r;
	err_t e;

	request_init(&r, name);
	write_line(&r, disk, area);
	e = ask_kernel(fd, DM_TABLE_LOAD, &r, "filling");
	explicit_bzero(&r, sizeof(r));
	if (e)
		return err_context(e, "%s", area->cipher);
	request_init(&r, name);
	return ask_kernel(fd, DM_DEV_SUSPEND, &r, "starting"); /* without the flag: resume */
}

err_t cryptmap_open(const char *name, dev_t disk, const struct encrypted_area *area, char *path,
		    size_t n)
{
	CLEANUP_CLOSE int fd = -1;
	struct request r;
	dev_t made;
	err_t e;

	if (!encrypted_area_sane(area))
		return err_new(ERR_INVALID, "an encrypted area that makes no sense");
	TRY(open_control(&fd));
	request_init(&r, name);
	TRY(ask_kernel(fd, DM_DEV_CREATE, &r, "making"));
	made = (dev_t)r.head.dev;
	e = load_and_start(fd, name, disk, area);
	if (e) {
		err_free(cryptmap_close(name));
		return e;
	}
	snprintf(path, n, "/dev/dm-%u", minor(made));
	return NULL;
}

err_t cryptmap_close(const char *name)
{
	CLEANUP_CLOSE int fd = -1;
	struct request r;

	TRY(open_control(&fd));
	request_init(&r, name);
	if (!ioctl(fd, DM_DEV_REMOVE, &r) || errno == ENXIO)
		return NULL;
	return ask_kernel(fd, DM_DEV_REMOVE, &r, "removing");
}
