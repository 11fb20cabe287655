/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/status.h"

#include "base/io.h"
#include "base/text.h"
#include "base/util.h"
#include "host/disks/held.h"
#include "host/disks/keptsector.h"
#include "host/record.h"
#include "image/commit.h"
#include "image/reader.h"
#include "target/target.h"

#include <stdio.h>
#include <string.h>

static void print_last(void)
{
	CLEANUP_FREE char *text = NULL;
	size_t n;
	err_t e = io_read_file(RECORD_PATH, 65536, &text, &n);

	err_free(e);
	printf("last hibernation: %s", e ? "none since this boot\n" : text);
}

static void print_time(const char *what, uint64_t seconds)
{
	char text[64];

	printf("%s: %s\n", what, text_time(text, sizeof(text), "%F %T %z", seconds, false));
}

static void print_host(const struct target *t, const struct slot *slot)
{
	CLEANUP_FREE struct hostinfo *host = malloc(sizeof(*host));
	char hostname[sizeof(host->hostname)], release[sizeof(host->release)];
	err_t e;

	if (!host)
		return;
	e = image_read_header(t, slot, NULL, host);
	if (e)
		printf("  header: %s\n", err_text(e));
	else
		printf("  host: %s, kernel %s, %u CPUs, %llu MiB of RAM\n",
		       text_printable(hostname, sizeof(hostname), host->hostname),
		       text_printable(release, sizeof(release), host->release), host->cpus,
		       (unsigned long long)(range_bytes(&host->memory, RANGE_RAM) / MIB));
	err_free(e);
}

/* Why it was given up, or could not be resumed. */
static void print_reason(const char *what, const struct slot *slot)
{
	char reason[SLOT_REASON_MAX];

	printf("  %s: %s\n", what, text_printable(reason, sizeof(reason), slot->reason));
}

static void print_image(const struct target *t, const struct slot *slot)
{
	printf("  size: %llu MiB for %llu MiB of memory (and %llu MiB of zeros)\n",
	       (unsigned long long)(slot->image_end / MIB),
	       (unsigned long long)(slot->raw_bytes / MIB),
	       (unsigned long long)(slot->zero_pages * PAGE_BYTES / MIB));
	print_host(t, slot);
	if (slot->failed_resumes) {
		printf("  failed resumes: %u\n", slot->failed_resumes);
		print_reason("the last", slot);
	}
}

static err_t print_target(const struct target *t)
{
	struct commit c;
	err_t e = commit_load(t, &c);

	if (e && err_kind(e) == ERR_FORMAT) {
		err_free(e);
		printf("target %s: no image, and never was one\n", t->name);
		return NULL;
	}
	if (e)
		return e;
	printf("target %s: %s%s\n", t->name, slot_state_name(c.slot.state),
	       c.twin_good ? "" : " (the other superblock is damaged)");
	if (commit_is_dead(&c))
		printf("  dead: the swap area was turned on by another boot since\n");
	print_time("  begun", c.slot.created);
	if (slot_holds_image(&c.slot))
		print_image(t, &c.slot);
	else if (c.slot.reason[0])
		print_reason("because", &c.slot);
	return NULL;
}

static err_t print_held(const char *name, const struct held *h)
{
	if (*h->damaged)
		printf("target %s: %s\n", name, h->damaged);
	else if (!h->count)
		printf("target %s: no image\n", name);
	for (unsigned int i = 0; i < h->count; i++) {
		const struct target *t = &h->list[i];

		if (t->bytes < SLOT_DATA_START)
			return err_new(ERR_FORMAT, "%s is too small to hold an image", t->name);
		TRY(print_target(t));
	}
	return NULL;
}

static err_t print_name(const char *name)
{
	struct held h;
	err_t e;

	TRY(held_open(name, false, &h));
	e = print_held(name, &h);
	held_close(&h);
	return e;
}

err_t status_print(const struct config *config)
{
	err_t first = NULL;

	keptsector_put_back(NULL);
	print_last();
	if (!config->target_count)
		printf("target: none set\n");
	for (uint32_t i = 0; i < config->target_count; i++) {
		err_t e = print_name(config->targets[i]);

		/* The first error is told at the end; those after it here. */
		if (e && first)
			printf("target %s: %s\n", config->targets[i], err_text(e));
		first = err_first(first, e);
	}
	return first;
}
