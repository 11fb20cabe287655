/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/checks/check.h"

#include "base/util.h"
#include "host/checks/imagesize.h"
#include "host/disks/foreign.h"
#include "host/disks/held.h"
#include "host/disks/luksvolume.h"
#include "host/disks/stablename.h"
#include "host/disks/stack.h"
#include "image/commit.h"
#include "target/target.h"

#include <stdio.h>
#include <string.h>

/* Is there a target, so that looking further makes sense? */
static bool there(const struct preflight *p, struct finding *out)
{
	if (!p->target_error[0])
		return true;
	finding_set(out, FINDING_SKIP, "there is no target");
	return false;
}

void check_target_device(const struct preflight *p, struct finding *out)
{
	const struct location *l = &p->location;

	if (p->target_error[0])
		finding_set(out, FINDING_REFUSE, "%s", p->target_error);
	else if ((l->kind == LOCATION_DEVICE || l->kind == LOCATION_LUKS) && !stack_is_disk(l->dev))
		finding_set(out, FINDING_REFUSE,
			    "the target %s is not a bare disk with one path to it, or a partition "
			    "of one, and not in use as swap; the writer sees no others",
			    l->name);
	else if (l->disk.encrypted && !p->config->encrypt)
		finding_set(out, FINDING_REFUSE,
			    "the target %s lies on an encrypted disk (dm-crypt), beneath which an "
			    "image is written as it is: only an encrypted one may be. Remove "
			    "\"encrypt = no\"",
			    l->name);
	else
		finding_set(out, FINDING_OK, "%s is %s%s", l->name, location_what(l),
			    l->disk.encrypted ? ", beneath dm-crypt" : "");
}

/* A kernel may forbid writing to what is mounted itself (CONFIG_BLK_DEV_WRITE_MOUNTED):
 * then a disk without partitions cannot be written to beside its filesystem. */
static err_t try_disk(const struct location *l)
{
	struct target t;
	err_t e = target_open(&t, l->disk.disk_name, true, false);

	if (e && err_kind(e) == ERR_REFUSED) {
		err_free(e);
		return err_new(
			ERR_REFUSED,
			"this kernel does not allow writing to %s beside the filesystem on "
			"it; boot with bdev_allow_write_mounted=1, or use one on a partition",
			l->disk.disk_name);
	}
	if (!e)
		target_close(&t);
	return e;
}

/* The kernel's own names may change places from boot to boot. */
static void found_by_name(const struct location *l, const char *more, struct finding *out)
{
	char better[CONFIG_TEXT_MAX];

	if (stablename_better(location_device(l), better, sizeof(better)))
		finding_set(out, FINDING_WARN,
			    "%s may be the name of another device at the next boot, which then "
			    "finds no image: say \"target = %s%s\" in " CONFIG_PATH
			    ", and run dormouse setup",
			    l->name, l->kind == LOCATION_LUKS ? "luks:" : "", better);
	else
		finding_set(out, FINDING_OK, "%s is found by its name%s", l->name, more);
}

/* Will a boot find it, and the writer? */
void check_target_place(const struct preflight *p, struct finding *out)
{
	const struct location *l = &p->location;
	err_t e;

	if (!there(p, out))
		return;
	if (l->kind == LOCATION_LUKS) {
		e = luksvolume_check(location_device(l));
		if (e)
			finding_set_err(out, FINDING_REFUSE, e);
		else
			found_by_name(l, ", and opened by its passphrase", out);
		return;
	}
	e = location_check_pin(l, &p->pins);
	if (!e && !location_is_located(l)) {
		found_by_name(l, "", out);
		return;
	}
	if (!e)
		e = location_check_ext(l, &p->pins);
	if (!e)
		e = try_disk(l);
	if (e) {
		finding_set_err(out, FINDING_REFUSE, e);
		return;
	}
	finding_set(out, FINDING_OK, "%s lies on %s, and a boot knows where", l->name,
		    l->disk.disk_name);
}

/* O_EXCL asks the kernel: mounted, a partition of it, or held by dm or md. */
static err_t try_free(const struct location *l)
{
	struct target t;

	if (l->kind == LOCATION_LUKS)
		return luksvolume_check_free(location_device(l));
	TRY(target_open(&t, l->name, false, true));
	target_close(&t);
	return NULL;
}

void check_target_free(const struct preflight *p, struct finding *out)
{
	const struct location *l = &p->location;
	err_t e;

	if (!there(p, out))
		return;
	if (l->kind != LOCATION_DEVICE && l->kind != LOCATION_LUKS) {
		finding_set(out, FINDING_OK, "%s is %s", l->name, location_what(l));
		return;
	}
	e = try_free(l);
	if (e) {
		finding_set_err(out, FINDING_REFUSE, err_context(e, "the target"));
		return;
	}
	finding_set(out, FINDING_OK, "nobody uses %s", l->name);
}

/* What is ours there must be something that can be replaced. */
static err_t own_content(const struct target *t, struct finding *out)
{
	struct commit c;
	err_t e;

	if (t->bytes < SLOT_DATA_START)
		return err_new(ERR_REFUSED, "%s is too small", t->name);
	e = commit_load(t, &c);
	if (!e && commit_is_dead(&c))
		c.holds_image = false;
	if (!e && c.holds_image) {
		finding_set(out, FINDING_WARN,
			    "%s holds an image that was never resumed; it will be discarded",
			    t->name);
		return NULL;
	}
	if (!e || err_kind(e) == ERR_FORMAT || err_kind(e) == ERR_CORRUPT) {
		err_free(e);
		finding_set(out, FINDING_OK, "nothing on %s that would be lost", t->name);
		return NULL;
	}
	return e;
}

void check_target_content(const struct preflight *p, struct finding *out)
{
	const struct location *l = &p->location;
	struct held h;
	err_t e;

	if (!there(p, out))
		return;
	e = held_open(l->name, false, &h);
	if (!e && !h.count && l->kind == LOCATION_LUKS)
		finding_set(out, FINDING_OK, "no image is in %s", l->name);
	else if (!e && !h.count)
		finding_set(out, FINDING_OK, "pages of %s that are free are used", l->name);
	else if (!e) /* if there are two, the locator's: it makes the other one look marked */
		e = own_content(&h.list[0], out);
	if (!e && l->kind == LOCATION_DEVICE)
		e = foreign_check(l->name, h.locator || *h.damaged);
	if (!e && *h.damaged)
		e = err_new(ERR_REFUSED, "%s", h.damaged);
	held_close(&h);
	if (e)
		finding_set_err(out, FINDING_REFUSE, e);
}

/* What makes room where an image goes, by what that is. */
static const char *more_room(const struct location *l)
{
	static const char *const ways[] = {
		[LOCATION_NONE] = "",
		[LOCATION_DEVICE] = "a larger partition",
		[LOCATION_SWAP] = "a larger swap area, or less in it",
		[LOCATION_SWAPFILE] = "a larger swap file, or less in it",
		[LOCATION_FILE] = "removing the file and \"dormouse setup --size\"",
		[LOCATION_LUKS] = "a larger partition",
	};

	return ways[l->kind];
}

static bool has_other(const struct preflight *p)
{
	return config_candidate(p->config, p->candidate + 1);
}

static void too_small(const struct preflight *p, enum finding_level level, const char *is,
		      struct finding *out)
{
	const struct location *l = &p->location;

	finding_set(out, level,
		    "the target %s %s too small: it has room for %llu MiB, the image takes some "
		    "%llu MiB, at worst %llu. What would help: %s%s%s, or fewer programs",
		    l->name, is, (unsigned long long)(l->room / MIB),
		    (unsigned long long)(imagesize_likely(p) / MIB),
		    (unsigned long long)(align_up(imagesize_worst(p), MIB) / MIB), more_room(l),
		    strcmp(p->config->codec, "none") ? "" : ", a codec that compresses",
		    has_other(p) ? "" : ", another target beside it");
}

/*
 * How well memory compresses is known only afterwards, and running out of space
 * costs nothing but time: the writer jumps back. So refused is only what cannot be, and
 * where there is another target what is hardly possible.
 */
void check_target_size(const struct preflight *p, struct finding *out)
{
	const struct location *l = &p->location;
	uint64_t likely = imagesize_likely(p), worst = imagesize_worst(p);
	uint64_t least = imagesize_least(p);

	if (!there(p, out))
		return;
	if (has_other(p))
		least = max_u64(imagesize_hardly(p), least);
	if (l->room < least)
		too_small(p, FINDING_REFUSE, "is", out);
	else if (l->room < likely)
		too_small(p, FINDING_WARN, "is probably", out);
	else if (l->room < worst)
		too_small(p, FINDING_WARN, "may be", out);
	else
		finding_set(
			out, FINDING_OK,
			"%s has room for %llu MiB; the image takes some %llu MiB, at worst %llu",
			l->name, (unsigned long long)(l->room / MIB),
			(unsigned long long)(likely / MIB),
			(unsigned long long)(align_up(worst, MIB) / MIB));
}

bool check_target_fits(const struct preflight *p, struct finding *why)
{
	static void (*const checks[])(const struct preflight *p, struct finding *out) = {
		check_target_device,  check_target_place, check_target_free,
		check_target_content, check_target_size,
	};

	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		checks[i](p, why);
		if (why->level == FINDING_REFUSE)
			return false;
	}
	return true;
}
