/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/setup/setup_target.h"

#include "base/log.h"
#include "base/util.h"
#include "host/checks/imagesize.h"
#include "host/checks/machine.h"
#include "host/disks/location.h"
#include "host/disks/stablename.h"
#include "host/disks/stale.h"
#include "host/disks/swaps.h"
#include "host/disks/swapslots.h"
#include "host/disks/targetfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* As if all memory were in use, and nothing of it could be compressed. */
static err_t largest_image(uint64_t *out)
{
	CLEANUP_FREE struct preflight *all = calloc(1, sizeof(*all));

	if (!all)
		return err_new(ERR_NOMEM, "no memory");
	/* Hibernating will say what is wrong with the machine. */
	err_free(machine_describe(&all->host));
	TRY(preflight_meminfo(all));
	all->mem_free = 0;
	*out = imagesize_worst(all);
	return NULL;
}

static err_t check_encrypted(const struct location *l, bool encrypted)
{
	if (!l->disk.encrypted || encrypted)
		return NULL;
	return err_new(
		ERR_REFUSED,
		"the target %s lies on an encrypted disk (dm-crypt), where only an encrypted "
		"image may be written: remove \"encrypt = no\"",
		l->name);
}

/* Not all swap lies on a disk (zram), and not all of that in the clear. */
static err_t check_swap(const char *path, bool encrypted)
{
	struct location l;
	err_t e = location_find(path, &l);

	if (!e)
		e = check_encrypted(&l, encrypted);
	location_deinit(&l);
	return e;
}

/* The largest that can be a target; NULL: none, and *why of the first, NULL without any. */
static const struct swap *largest_fit(const struct swaps *s, bool encrypted, err_t *why)
{
	const struct swap *best = NULL;

	*why = NULL;
	for (uint32_t i = 0; i < s->count; i++) {
		err_t e = check_swap(s->list[i].path, encrypted);

		if (!e && (!best || s->list[i].bytes > best->bytes))
			best = &s->list[i];
		*why = err_first(*why, e);
	}
	return best;
}

static err_t no_swap(uint64_t wanted, const char *why)
{
	return err_new(ERR_REFUSED,
		       "no target is configured, and %s (%llu MiB are needed at worst). Say "
		       "\"target = /dormouse.img\" in " CONFIG_PATH " to have a file made, or "
		       "name a partition or swap area there",
		       why, (unsigned long long)(wanted / MIB));
}

/* The area's name that is the same after the next boot. */
static err_t use_swap(uint64_t wanted, bool encrypted, struct config *config)
{
	CLEANUP_FREE struct swaps *s = malloc(sizeof(*s));
	char name[CONFIG_TEXT_MAX];
	const struct swap *best;
	err_t why, e = NULL;

	if (!s)
		return err_new(ERR_NOMEM, "looking for swap");
	TRY(swaps_read(s));
	best = largest_fit(s, encrypted, &why);
	if (!best)
		e = no_swap(wanted, why ? err_text(why) : "there is no swap");
	else if (swapslots_room(best->bytes) < wanted)
		e = no_swap(wanted + SWAPSLOTS_LEFT, "no swap area is large enough");
	err_free(why);
	TRY(e);
	TRY(stablename_of(best->path, name, sizeof(name)));
	printf("target: the swap area %s, since none is configured\n", name);
	return config_add_target(config, name);
}

/* A file that is not there is made; of all else location_find tells what is wrong. */
static bool is_to_be_made(const char *name)
{
	struct stat st;

	return stat(name, &st) && errno == ENOENT && name[0] == '/' && strncmp(name, "/dev/", 5);
}

/* There is nothing to retire in a file that is yet to be made, nor to warn of. */
static err_t retire_old(const struct config *config, const struct pins *pins)
{
	bool untouched;

	for (uint32_t i = 0; i < config->target_count; i++)
		if (!is_to_be_made(config->targets[i]))
			TRY(stale_retire(config->targets[i], pins, &untouched));
	return NULL;
}

void setup_target_warn(const struct config *config, uint64_t size)
{
	struct stat st;

	for (uint32_t i = 0; size && i < config->target_count; i++)
		if (!stat(config->targets[i], &st) && S_ISREG(st.st_mode))
			log_warn("--size is not used for %s, which is there already: remove it, "
				 "and dormouse setup makes it anew",
				 config->targets[i]);
}

static err_t make_file(const char *name, uint64_t bytes, bool *made)
{
	*made = false;
	if (!is_to_be_made(name))
		return NULL;
	TRY(targetfile_create(name, bytes));
	*made = true;
	printf("target: made %s, %llu MiB\n", name, (unsigned long long)(bytes / MIB));
	return NULL;
}

static err_t check_location(const struct location *l, bool encrypted, const struct pins *before)
{
	const struct pin *old = pins_of(before, l->name);

	TRY(check_encrypted(l, encrypted));
	/* What is in one that is pinned there already is an old image. */
	if (l->kind == LOCATION_FILE && !(old && pins_same_place(old, &l->pin)))
		return targetfile_check_empty(l->name);
	return NULL;
}

static err_t pin_location(const struct location *l, const struct pins *before, struct pins *pins)
{
	const struct pin *old = pins_of(before, l->name);

	if (location_is_located(l)) {
		TRY(pins_set(pins, &l->pin));
		printf("target: %s is %s, pinned at byte %llu of %s; %llu MiB\n", l->name,
		       location_what(l), (unsigned long long)l->pin.byte, l->disk.disk_name,
		       (unsigned long long)(l->room / MIB));
		return NULL;
	}
	printf("target: %s is %s, %llu MiB\n", l->name, location_what(l),
	       (unsigned long long)(l->room / MIB));
	/* Swap that is off now may be on when it is written to. */
	return old && old->kind == PIN_LOCATOR ? pins_set(pins, old) : NULL;
}

static err_t set_up_one(const char *name, uint64_t bytes, bool encrypted, const struct pins *before,
			struct pins *pins)
{
	struct location l;
	bool made = false;
	err_t e;

	TRY(make_file(name, bytes, &made));
	e = location_find(name, &l);
	if (!e)
		e = check_location(&l, encrypted, before);
	if (!e)
		e = pin_location(&l, before, pins);
	location_deinit(&l);
	if (e && made) {
		unlink(name);
		printf("target: removed %s again\n", name);
	}
	return e;
}

static err_t set_up_all(const struct config *config, uint64_t bytes, bool encrypted,
			struct pins *pins)
{
	struct pins next = *pins;

	next.count = 0;
	for (uint32_t i = 0; i < config->target_count; i++)
		TRY(set_up_one(config->targets[i], bytes, encrypted, pins, &next));
	*pins = next;
	return NULL;
}

/* A boot has its own copy of the configuration, or else the pins. */
static err_t refuse_unlisted(const char *name)
{
	return err_new(ERR_REFUSED,
		       "no boot would look for an image on %s: say \"target = %s\" in " CONFIG_PATH
		       ", and run dormouse setup without --target",
		       name, name);
}

/* One that is there; ERR_INVALID and ERR_REFUSED as setting it up would tell. */
static err_t look_at_one(const char *name, const struct config *config, const struct pins *before)
{
	struct location l;
	err_t e;

	if (is_to_be_made(name))
		return NULL;
	e = location_find(name, &l);
	if (!e)
		e = check_location(&l, config->encrypt, before);
	if (!e && config->unlisted && !location_is_located(&l))
		e = refuse_unlisted(name);
	location_deinit(&l);
	return e;
}

err_t setup_target_choose(const struct pins *pins, struct config *config)
{
	uint64_t worst = 0;

	if (config->unlisted && config->target_count > 1)
		return refuse_unlisted(config->target);
	TRY(largest_image(&worst));
	if (!config->target_count)
		TRY(use_swap(worst, config->encrypt, config));
	for (uint32_t i = 0; i < config->target_count; i++)
		TRY(look_at_one(config->targets[i], config, pins));
	return NULL;
}

err_t setup_target(const struct config *config, uint64_t size, struct pins *pins)
{
	uint64_t worst = 0;

	TRY(largest_image(&worst));
	TRY(retire_old(config, pins));
	TRY(set_up_all(config, size ? size : align_up(worst, MIB), config->encrypt, pins));
	return NULL;
}
