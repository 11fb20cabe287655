/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/waiting.h"

#include "base/log.h"
#include "base/util.h"
#include "config/pins.h"
#include "resume/ask.h"
#include "resume/pinned.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define QUIET_SECONDS 3u /* most disks take less */
#define POLL_US	      100000u
#define KEY_GO_ON     'b'
#define TEXT_MAX      4096

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* A device that appears by itself: not one that somebody opens or assembles later. */
static bool appears(const char *name)
{
	return begins(name, "/dev/") && !begins(name, "/dev/mapper/") && !begins(name, "/dev/dm-");
}

/* Of swap that is on the device mapper, or of a file, the name comes much later. */
static bool has_own_name(const char *name)
{
	const char *rest = name + strlen("/dev/");

	return appears(name) && (!strchr(rest, '/') || begins(rest, "disk/"));
}

static const char *device_of(const struct options *o, unsigned int i)
{
	const char *luks = config_luks_device(o->targets[i]);

	return luks ? luks : o->targets[i];
}

/*
 * By its name or, where it is no device of its own, by its pin. Of swap that was off when
 * it was written to (resume/find.c) the name is needed, too.
 */
bool waiting_is_there(const struct options *o, unsigned int i)
{
	const char *name = o->targets[i];
	const struct pin *pin = pins_of(&o->pins, name);

	if (!pin)
		return !access(device_of(o, i), F_OK);
	return pinned_is_there(NULL, pin) &&
	       (pin->kind != PIN_LOCATOR || !has_own_name(name) || !access(name, F_OK));
}

static bool is_waited_for(const struct options *o, unsigned int i)
{
	return (pins_of(&o->pins, o->targets[i]) || appears(device_of(o, i))) &&
	       !waiting_is_there(o, i);
}

static bool all_there(const void *ctx)
{
	const struct options *o = ctx;

	for (unsigned int i = 0; i < o->target_count; i++)
		if (is_waited_for(o, i))
			return false;
	return true;
}

/* false: not all of them came. */
static bool wait_quietly(const struct options *o, unsigned int seconds)
{
	for (unsigned int n = seconds * (1000000u / POLL_US); !all_there(o); n--) {
		if (!n)
			return false;
		usleep(POLL_US);
	}
	return true;
}

/* Names, with what stands between them. */
static void list_missing(const struct options *o, char out[TEXT_MAX])
{
	size_t n = 0;

	*out = '\0';
	for (unsigned int i = 0; i < o->target_count; i++)
		if (is_waited_for(o, i) && n < TEXT_MAX)
			n += (size_t)snprintf(out + n, TEXT_MAX - n, "%s%s", n ? ", " : "",
					      o->targets[i]);
}

/* Nobody need be there to be asked: then it is the time alone that ends it. */
static void wait_aloud(const struct options *o, unsigned int seconds)
{
	char missing[TEXT_MAX], text[TEXT_MAX + 256], unanswered[128];
	struct question q = {
		.text = text, .unanswered = unanswered, .settled = all_there, .ctx = o};
	int answer;

	list_missing(o, missing);
	snprintf(text, sizeof(text),
		 "Dormouse: waiting for %s, where an image may be.\n"
		 "If it is gone for good: take it out of " CONFIG_PATH
		 ", and run dormouse setup.\n",
		 missing);
	snprintf(unanswered, sizeof(unanswered), "At the latest in %u s the boot goes on.",
		 seconds);
	ask_add(&q, KEY_GO_ON, "boot without it; an image on it is then lost");
	log_info("waiting for %s", missing);
	answer = ask_console(&q, (int)seconds);
	if (answer == ASK_NO_CONSOLE)
		wait_quietly(o, seconds);
	else if (answer == KEY_GO_ON)
		log_info("answered: not to wait any longer");
}

void waiting_for_targets(const struct options *o)
{
	unsigned int quiet = (unsigned int)min_u64(o->wait_seconds, QUIET_SECONDS);

	if (!wait_quietly(o, quiet) && o->wait_seconds > quiet)
		wait_aloud(o, o->wait_seconds - quiet);
}
