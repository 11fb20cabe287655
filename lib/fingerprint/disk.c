/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fingerprint/disk.h"

#include "base/io.h"
#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define SECTOR 512u
#define BLOCK  4096u /* of the largest sectors there are */
#define ROOM   (DISK_PIECE_MAX + 2 * BLOCK)
#define SYS    "/sys/class/block"
#define DEV    "/dev"

static const char *sys_of(const struct disk_where *where)
{
	return where && where->sys ? where->sys : SYS;
}

/* The first line of a small file, without white space around it. */
static bool read_line(const char *folder, const char *name, char *out, size_t n)
{
	CLEANUP_FREE char *text = NULL;
	char path[PATH_MAX];
	size_t bytes, end;
	const char *start;
	err_t e;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	e = io_read_file(path, 4096, &text, &bytes);
	if (e) {
		err_free(e);
		return false;
	}
	start = text + strspn(text, " \t");
	end = strcspn(start, "\n");
	while (end && (start[end - 1] == ' ' || start[end - 1] == '\t'))
		end--;
	if (end >= n) { /* what tells disks apart stands at the end: the serial number */
		start += end - (n - 1);
		end = n - 1;
	}
	memcpy(out, start, end);
	out[end] = '\0';
	return end > 0;
}

void disk_identity(const char *folder, char out[PRINT_IDENTITY_MAX])
{
	/* NVMe; SCSI and SATA; virtio; MMC. */
	static const char *const files[] = {"wwid", "device/wwid", "serial", "device/serial",
					    "device/cid"};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (read_line(folder, files[i], out, PRINT_IDENTITY_MAX))
			return;
	}
	*out = '\0';
}

static bool is_made(const char *name)
{
	static const char *const made[] = {"dm-", "md", "loop", "ram",	 "zram",
					   "sr",  "fd", "nbd",	"bcache"};

	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		if (!strncmp(name, made[i], strlen(made[i])))
			return true;
	}
	return name[0] == '.';
}

/* Is it a disk with a medium? Then what is known of it. */
static bool look(const char *sys, const char *name, struct disk *out)
{
	char folder[PATH_MAX], path[PATH_MAX + 16], text[32];
	unsigned long long sectors;

	if (is_made(name) || strlen(name) >= sizeof(out->name))
		return false;
	snprintf(folder, sizeof(folder), "%s/%s", sys, name);
	snprintf(path, sizeof(path), "%s/partition", folder);
	if (!access(path, F_OK) || !read_line(folder, "size", text, sizeof(text)) ||
	    sscanf(text, "%llu", &sectors) != 1 || !sectors)
		return false;
	/* One of several paths of NVMe's own multipath: it has no name in /dev. */
	if (read_line(folder, "hidden", text, sizeof(text)) && strcmp(text, "0"))
		return false;
	memset(out, 0, sizeof(*out));
	strcpy(out->name, name);
	out->bytes = (uint64_t)sectors * SECTOR;
	disk_identity(folder, out->identity);
	return true;
}

err_t disk_scan(const struct disk_where *where, struct disk **out, size_t *count)
{
	const char *sys = sys_of(where);
	struct disk *found = NULL;
	struct dirent *entry;
	err_t e = NULL;
	size_t n = 0;
	DIR *d = opendir(sys);

	if (!d)
		return err_errno("looking for disks in %s", sys);
	while (!e && (entry = readdir(d))) {
		struct disk one, *more;

		if (!look(sys, entry->d_name, &one))
			continue;
		more = n < DISKS_MAX ? realloc(found, (n + 1) * sizeof(*found)) : NULL;
		if (more) {
			found = more;
			found[n++] = one;
		} else {
			e = err_new(ERR_NOMEM, "looking for disks");
		}
	}
	closedir(d);
	if (e) {
		free(found);
		return e;
	}
	*out = found;
	*count = n;
	return NULL;
}

err_t disk_of(dev_t dev, uint64_t *start, uint64_t *disk_bytes)
{
	char folder[64], path[PATH_MAX], text[32];
	unsigned long long from = 0, sectors;

	snprintf(folder, sizeof(folder), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	if (!realpath(folder, path) || is_made(strrchr(path, '/') + 1))
		return err_new(ERR_INVALID, "device %u:%u is no disk", major(dev), minor(dev));
	if (read_line(path, "start", text, sizeof(text))) { /* only partitions have it */
		sscanf(text, "%llu", &from);
		*strrchr(path, '/') = '\0';
	}
	if (!read_line(path, "size", text, sizeof(text)) || sscanf(text, "%llu", &sectors) != 1)
		return err_new(ERR_INVALID, "%s has no size", path);
	*start = from * SECTOR;
	*disk_bytes = (uint64_t)sectors * SECTOR;
	return NULL;
}

void disk_path(const struct disk_where *where, const struct disk *disk, char *out, size_t n)
{
	snprintf(out, n, "%s/%s", where && where->dev ? where->dev : DEV, disk->name);
	/* In /dev a slash of the kernel's name is one, in /sys it is "!". */
	for (char *p = out; *p; p++)
		*p = *p == '!' ? '/' : *p;
}

err_t disk_open(const struct disk_where *where, const struct disk *disk, int *fd)
{
	char path[PATH_MAX];

	disk_path(where, disk, path, sizeof(path));
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	return *fd < 0 ? err_errno("opening %s", path) : NULL;
}

err_t disk_read(int fd, const struct disk *disk, uint8_t *room, uint64_t offset, size_t n,
		const uint8_t **out)
{
	uint64_t from = align_down(offset, BLOCK);
	uint64_t to = min_u64(align_up(offset + n, BLOCK), disk->bytes);

	*out = room + (offset - from);
	return io_pread(fd, room, (size_t)(to - from), from, disk->name);
}

uint8_t *disk_room(void)
{
	return aligned_alloc(BLOCK, ROOM);
}
