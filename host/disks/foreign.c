/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/foreign.h"

#include "image/commit.h"
#include "target/target.h"

#include <blkid/blkid.h>
#include <stdio.h>
#include <string.h>

/* Name of the first signature, empty when there is none. */
static err_t find_signature(const char *path, char *name, size_t n)
{
	blkid_probe probe = blkid_new_probe_from_filename(path);
	const char *type = NULL;
	int r;

	*name = '\0';
	if (!probe)
		return err_errno("looking for signatures on %s", path);
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_enable_partitions(probe, 1);
	r = blkid_do_safeprobe(probe);
	if (!r && blkid_probe_lookup_value(probe, "TYPE", &type, NULL) &&
	    blkid_probe_lookup_value(probe, "PTTYPE", &type, NULL))
		r = 1;
	if (!r)
		snprintf(name, n, "%s", type);
	else if (r == -2)
		snprintf(name, n, "more than one filesystem");
	blkid_free_probe(probe);
	return r == -1 ? err_new(ERR_IO, "looking for signatures on %s failed", path) : NULL;
}

/*
 * A swap area that is not in use may be the target, and one that an image of ours is
 * in; one of another hibernation may not.
 */
static err_t takes_swap(const char *path, const char *type, bool own_locator, bool *takes)
{
	struct target t;
	struct commit c;
	err_t e;

	*takes = !strcmp(type, "swap") || (own_locator && !strcmp(type, "swsuspend"));
	if (*takes || strcmp(type, "swsuspend"))
		return NULL;
	TRY(target_open(&t, path, false, false));
	e = commit_load(&t, &c);
	target_close(&t);
	*takes = c.page0 == PAGE0_MARKED && (!e || err_kind(e) == ERR_CORRUPT);
	err_free(e);
	return NULL;
}

err_t foreign_check(const char *path, bool own_locator)
{
	char name[64];
	bool swap;

	TRY(find_signature(path, name, sizeof(name)));
	TRY(takes_swap(path, name, own_locator, &swap));
	if (*name && !swap)
		return err_new(
			ERR_REFUSED,
			"the target %s is not empty: it has the signature of %s (a filesystem, "
			"another hibernation or partition table). If it is not needed: wipefs "
			"-a %s",
			path, name, path);
	return NULL;
}
