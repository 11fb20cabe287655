/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What swap page 0 held where a locator is, kept in a file while the disk does not let it
 * be put back: the host goes on then, and what it swaps out may lie where the extent map
 * was (docs/crash-safety.md, "What else can be found there"). The next dormouse setup, hibernate,
 * status or doctor puts it back, if that very locator is there yet. A file for each image,
 * for root alone.
 */
#ifndef HOST_KEPTSECTOR_H
#define HOST_KEPTSECTOR_H

#include "base/err.h"
#include "config/pins.h"
#include "fingerprint/disk.h"
#include "image/located.h"

#define KEPTSECTOR_DIR "/var/lib/dormouse"

struct keptsector {
	struct pin pin; /* of the target: which disk, and for messages its name */
	struct located_kept kept;
};

/* Where; NULL: KEPTSECTOR_DIR, and the machine's disks. For tests. */
struct keptsector_where {
	const char *folder;
	const struct disk_where *disks;
};

/* On the medium when it returns; the folder is made if need be. */
err_t keptsector_save(const struct keptsector_where *where, const struct keptsector *k) ERR_CHECK;

/*
 * All that are kept. A file goes once its sector is put back, or is something else by now:
 * turned on elsewhere, made anew, another image's. It stays, and a warning says why, where
 * that cannot be known, or two disks have the locator. Logs what is done. Harmless at any
 * time, whether the area is in use or not.
 */
void keptsector_put_back(const struct keptsector_where *where);

/* One file. ERR_INVALID: it is none of these. On an error *out is unchanged. */
err_t keptsector_load(const char *path, struct keptsector *out) ERR_CHECK;

#endif
