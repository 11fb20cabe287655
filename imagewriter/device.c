/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "imagewriter/device.h"

#include "base/log.h"
#include "base/util.h"
#include "fingerprint/disk.h"
#include "image/commit.h"
#include "image/targetrecord.h"
#include "target/cryptmap.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define WAIT_MS		30000
#define POLL_MS		20
#define SYS_CLASS_BLOCK "/sys/class/block"
#define MAPPING		"target"

/* Is this device the one? Only opened for reading so far. */
static bool is_it(const struct handoff *h, const char *path)
{
	struct target t;
	struct commit c;
	bool yes = false;
	err_t e = targetrecord_open(h, path, false, &t);

	if (e) {
		err_free(e);
		return false;
	}
	e = commit_load(&t, &c);
	yes = !e && !memcmp(c.slot.nonce, h->nonce, NONCE_BYTES);
	err_free(e);
	target_close(&t);
	return yes;
}

static bool skipped(const char *name)
{
	return name[0] == '.' || !strncmp(name, "loop", 4) || !strncmp(name, "ram", 3);
}

/* How many devices claim to be it now; the last one's path in path. */
static unsigned int scan(const struct handoff *h, char *path, size_t room)
{
	DIR *d = opendir(SYS_CLASS_BLOCK);
	unsigned int found = 0;
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		char candidate[512];

		if (skipped(entry->d_name))
			continue;
		snprintf(candidate, sizeof(candidate), "/dev/%s", entry->d_name);
		if (is_it(h, candidate)) {
			snprintf(path, room, "%s", candidate);
			found++;
		}
	}
	if (d)
		closedir(d);
	return found;
}

/* The disk as the handoff's encrypted area makes it. */
static err_t map_area(const struct handoff *h, const char *disk, char *path, size_t room)
{
	char node[80];
	struct stat st;

	snprintf(node, sizeof(node), "/dev/%s", disk);
	if (stat(node, &st))
		return err_errno("%s", node);
	return cryptmap_open(MAPPING, st.st_rdev, &h->area, path, room);
}

/* How many disks have it in their encrypted area. The mapping of the first one stays. */
static err_t scan_encrypted(const struct handoff *h, char *path, size_t room, unsigned int *found)
{
	CLEANUP_FREE struct disk *disks = NULL;
	const char *its = NULL;
	size_t count = 0;

	*found = 0;
	TRY(disk_scan(NULL, &disks, &count));
	for (size_t i = 0; i < count; i++) {
		if (disks[i].bytes != h->area_disk_bytes)
			continue;
		TRY(map_area(h, disks[i].name, path, room));
		if (is_it(h, path)) {
			its = disks[i].name;
			(*found)++;
		}
		TRY(cryptmap_close(MAPPING));
	}
	return *found == 1 ? map_area(h, its, path, room) : NULL;
}

static err_t look(const struct handoff *h, char *path, size_t room, unsigned int *found)
{
	if (h->area_disk_bytes)
		return scan_encrypted(h, path, room, found);
	*found = scan(h, path, room);
	return NULL;
}

err_t device_find(const struct handoff *h, struct target *out)
{
	struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	char path[512];

	for (int waited = 0; waited < WAIT_MS; waited += POLL_MS) {
		unsigned int found;

		TRY(look(h, path, sizeof(path), &found));
		switch (found) {
		case 0:
			nanosleep(&pause, NULL);
			continue;
		case 1:
			log_info("target is %s (%s to its loader)", path, h->device_name);
			return targetrecord_open(h, path, true, out);
		default:
			return err_new(ERR_REFUSED, "more than one device looks like the target %s",
				       h->device_name);
		}
	}
	return err_new(ERR_IO, "the target (%s to its loader) did not appear within %d s",
		       h->device_name, WAIT_MS / 1000);
}
