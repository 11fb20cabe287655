/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/check.h"

#include "base/io.h"
#include "base/util.h"
#include "host/stack.h"
#include "image/commit.h"
#include "target/target.h"

#include <blkid/blkid.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* What an image has besides pages: slots, header, index. */
#define OVERHEAD_BYTES (4 * MIB)

void check_target_device(const struct preflight *p, struct finding *out)
{
	const char *path = p->config->target;
	struct stat st;

	if (!*path)
		finding_set(out, FINDING_REFUSE,
			    "no target is set: \"target = DEVICE\" in " CONFIG_PATH
			    ", or --target DEVICE");
	else if (stat(path, &st))
		finding_set(out, FINDING_REFUSE, "the target %s is not there: %m", path);
	else if (!S_ISBLK(st.st_mode))
		finding_set(out, FINDING_REFUSE, "the target %s is not a disk or partition", path);
	else if (!stack_is_disk(st.st_rdev))
		finding_set(out, FINDING_REFUSE,
			    "the target %s is not a bare disk or a partition of one; "
			    "the writer sees no others",
			    path);
	else
		finding_set(out, FINDING_OK, "%s is a disk or partition", path);
}

/* Is there a device, so that looking further makes sense? */
static bool there(const struct preflight *p, struct finding *out)
{
	struct stat st;

	if (*p->config->target && !stat(p->config->target, &st) && S_ISBLK(st.st_mode))
		return true;
	finding_set(out, FINDING_SKIP, "there is no target");
	return false;
}

static bool is_swap(const char *path)
{
	CLEANUP_FREE char *text = NULL;
	struct stat target, st;
	char *rest = NULL;
	bool found = false;
	size_t n;
	err_t e = io_read_file("/proc/swaps", 65536, &text, &n);

	if (e || stat(path, &target)) {
		err_free(e);
		return false;
	}
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		line[strcspn(line, " \t")] = '\0';
		found |= *line == '/' && !stat(line, &st) && S_ISBLK(st.st_mode) &&
			 st.st_rdev == target.st_rdev;
	}
	return found;
}

void check_target_free(const struct preflight *p, struct finding *out)
{
	const char *path = p->config->target;
	struct target t;
	err_t e;

	if (!there(p, out))
		return;
	if (is_swap(path)) {
		finding_set(out, FINDING_REFUSE, "the target %s is in use as swap (swapoff %s)",
			    path, path);
		return;
	}
	/* O_EXCL asks the kernel: mounted, a partition of it, or held by dm or md. */
	e = target_open(&t, path, false, true);
	if (e) {
		finding_set_err(out, FINDING_REFUSE, err_context(e, "the target"));
		return;
	}
	target_close(&t);
	finding_set(out, FINDING_OK, "nobody uses %s", path);
}

/* What others have put there: name of the first signature, empty when none. */
static err_t foreign_signature(const char *path, char *name, size_t n)
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
static err_t takes_swap(const char *path, const char *type, bool *takes)
{
	struct target t;
	struct commit c;
	err_t e;

	*takes = !strcmp(type, "swap");
	if (strcmp(type, "swsuspend"))
		return NULL;
	TRY(target_open(&t, path, false, false));
	e = commit_load(&t, &c);
	target_close(&t);
	*takes = c.page0 == PAGE0_MARKED && (!e || err_kind(e) == ERR_CORRUPT);
	err_free(e);
	return NULL;
}

/* What is ours there must be something that can be replaced. */
static err_t own_content(const char *path, struct finding *out)
{
	struct target t;
	struct commit c;
	err_t e;

	TRY(target_open(&t, path, false, false));
	if (t.bytes < SLOT_DATA_START) {
		target_close(&t);
		return err_new(ERR_REFUSED, "%s is too small", path);
	}
	e = commit_load(&t, &c);
	target_close(&t);
	if (!e && commit_is_dead(&c))
		c.holds_image = false;
	if (!e && c.holds_image) {
		finding_set(out, FINDING_WARN,
			    "%s holds an image that was never resumed; it will be discarded", path);
		return NULL;
	}
	if (!e || err_kind(e) == ERR_FORMAT || err_kind(e) == ERR_CORRUPT) {
		err_free(e);
		finding_set(out, FINDING_OK, "nothing on %s that would be lost", path);
		return NULL;
	}
	return e;
}

void check_target_content(const struct preflight *p, struct finding *out)
{
	const char *path = p->config->target;
	bool swap = false;
	char name[64];
	err_t e;

	if (!there(p, out))
		return;
	e = foreign_signature(path, name, sizeof(name));
	if (!e)
		e = takes_swap(path, name, &swap);
	if (!e && *name && !swap) {
		finding_set(out, FINDING_REFUSE,
			    "the target %s is not empty: it has the signature of %s (a filesystem, "
			    "another hibernation or partition table). If it is not needed: wipefs "
			    "-a %s",
			    path, name, path);
		return;
	}
	if (!e)
		e = own_content(path, out);
	if (e)
		finding_set_err(out, FINDING_REFUSE, e);
}

/*
 * How well memory compresses is known only afterwards, and running out of space
 * costs nothing but time: the writer jumps back. So refused is only
 * what cannot be.
 */
void check_target_size(const struct preflight *p, struct finding *out)
{
	uint64_t used = preflight_used(p), most = used + used / 64 + OVERHEAD_BYTES;
	unsigned long long has, worst = most / MIB, least = used / 4 / MIB;
	struct target t;
	err_t e;

	if (!there(p, out))
		return;
	e = target_open(&t, p->config->target, false, false);
	if (e) {
		finding_set_err(out, FINDING_REFUSE, e);
		return;
	}
	target_close(&t);
	has = t.bytes / MIB;
	if (has < least)
		finding_set(out, FINDING_REFUSE,
			    "the target %s is too small: it has %llu MiB, the image takes up to "
			    "%llu and "
			    "hardly less than %llu",
			    t.name, has, worst, least);
	else if (has < worst)
		finding_set(out, FINDING_WARN,
			    "the target %s may be too small: it has %llu MiB, the image takes some "
			    "%llu MiB, "
			    "at worst %llu",
			    t.name, has, worst / 2, worst);
	else
		finding_set(out, FINDING_OK,
			    "%s has %llu MiB; the image takes some %llu MiB, at worst %llu", t.name,
			    has, worst / 2, worst);
}
