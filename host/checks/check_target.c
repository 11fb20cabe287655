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
	if (!location_is_located(l)) {
		found_by_name(l, "", out);
		return;
	}
	e = location_check_pin(l, &p->pins);
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
	e = held_open(l->name, &p->pins, false, &h);
	if (!e && !h.count && l->kind == LOCATION_LUKS)
		finding_set(out, FINDING_OK, "no image is in %s", l->name);
	else if (!e && !h.count)
		finding_set(out, FINDING_OK, "pages of %s that are free are used", l->name);
	else if (!e) /* if there are two, the locator's: it makes the other one look marked */
		e = own_content(&h.list[0], out);
	if (!e && l->kind == LOCATION_DEVICE && h.count == 1)
		e = foreign_check(l->name);
	held_close(&h);
	if (e)
		finding_set_err(out, FINDING_REFUSE, e);
}

/* What makes room, by what it is. */
static const char *what_helps(const struct location *l)
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

/*
 * How well memory compresses is known only afterwards, and running out of space
 * costs nothing but time: the writer jumps back. So refused is only what cannot be, and
 * where there is another target what is not likely.
 */
void check_target_size(const struct preflight *p, struct finding *out)
{
	const struct location *l = &p->location;
	uint64_t likely = imagesize_used(p) / 4, least = imagesize_least(p);
	bool other = config_candidate(p->config, p->candidate + 1);
	unsigned long long has = l->room / MIB, worst = imagesize_worst(p) / MIB;

	if (!there(p, out))
		return;
	if (l->room < (other ? max_u64(likely, least) : least))
		finding_set(out, FINDING_REFUSE,
			    "the target %s is too small: it has %llu MiB free, the image takes "
			    "some %llu MiB, at worst %llu. What would help: %s, another target "
			    "beside it, or fewer programs",
			    l->name, has, worst / 2, worst, what_helps(l));
	else if (has < worst)
		finding_set(out, FINDING_WARN,
			    "the target %s %s too small: it has %llu MiB free, the image takes "
			    "some %llu MiB, at worst %llu. What would help: %s, or another target "
			    "beside it",
			    l->name, l->room < likely ? "is probably" : "may be", has, worst / 2,
			    worst, what_helps(l));
	else
		finding_set(out, FINDING_OK,
			    "%s has %llu MiB free; the image takes some %llu MiB, at worst %llu",
			    l->name, has, worst / 2, worst);
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
