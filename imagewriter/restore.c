/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Putting an image back. Nothing is lost until the jump: on any error the
 * reason is recorded in the image, which stays valid, and the machine reboots.
 */
#include "imagewriter/modes.h"

#include "base/log.h"
#include "base/util.h"
#include "image/commit.h"
#include "image/reader.h"
#include "image/threads.h"
#include "fingerprint/fingerprint.h"
#include "formats/index.h"
#include "imagewriter/clock.h"
#include "imagewriter/console.h"
#include "imagewriter/device.h"
#include "imagewriter/host.h"
#include "imagewriter/memwatch.h"
#include "imagewriter/power.h"
#include "imagewriter/secrets.h"
#include "jump/cpufeature.h"
#include "jump/loader.h"
#include "memory/regions.h"

#include <stdio.h>
#include <string.h>

#define THREADS_MAX   16
#define DISKS_WAIT_MS 30000 /* for those that the image has filesystems on */
#define READ_TIME     5	    /* seconds to read a message in before a reboot */
#define BLOCK_BYTES   ((size_t)CHUNK_PAGES * PAGE_BYTES)

struct restoring {
	struct handoff *h;
	struct image_keys *keys; /* locked; NULL: none were given */
	struct target target;
	bool valid_seen; /* so a RESUMING that comes later is ours, and the jump was not made */
	struct commit commit;
	struct hostinfo info;
	struct regions mem;
	struct console console;
	struct memwatch memory;
	struct watchdog watchdog;
	struct image_progress progress;
	struct timespec started;
};

static err_t sink_map(void *self, unsigned int thread, uint64_t first_pfn, uint8_t **pages)
{
	(void)thread;
	return regions_get(self, first_pfn << PAGE_BITS, BLOCK_BYTES, pages);
}

static err_t sink_unmap(void *self, unsigned int thread, uint64_t first_pfn, uint8_t *pages,
			const uint8_t *placed)
{
	(void)thread;
	(void)first_pfn;
	(void)placed;
	regions_put(self, pages, BLOCK_BYTES);
	return NULL;
}

static err_t tick(void *arg, const struct image_progress *progress)
{
	struct restoring *r = arg;

	r->progress = *progress;
	memwatch_tick(&r->memory);
	return console_tick(&r->console, progress);
}

static err_t open_image(struct restoring *r)
{
	TRY(device_find(r->h, &r->target));
	TRY(commit_load(&r->target, &r->commit));
	r->valid_seen = r->commit.slot.state == SLOT_VALID;
	if (!r->valid_seen || !r->commit.twin_good)
		return err_new(ERR_REFUSED,
			       "the image is no longer what it was: its superblock says %s",
			       slot_state_name(r->commit.slot.state));
	TRY(commit_check_page0(&r->commit));
	return image_read_header(&r->target, &r->commit.slot, r->keys, &r->info);
}

/* Are we where, and as, the image needs it? */
static err_t check_place(const struct restoring *r)
{
	const struct hostinfo *info = &r->info;

	if (info->la57 != cpufeature_la57_on())
		return err_new(ERR_REFUSED, "the writer runs in %d-level paging, the host in %d",
			       cpufeature_la57_on() ? 5 : 4, info->la57 ? 5 : 4);
	if (r->h->mailbox != loader_mailbox(info->main_window) ||
	    r->h->trampoline != loader_trampoline(info->main_window))
		return err_new(ERR_REFUSED, "the writer was loaded outside of the image's window");
	if (info->dump || !info->jump_entry)
		return err_new(ERR_CORRUPT, "the image has no jump-back entry");
	return NULL;
}

static err_t place(struct restoring *r)
{
	struct memory_sink sink = {.self = &r->mem, .map = sink_map, .unmap = sink_unmap};
	struct image_reader_options o = {
		.threads = threads_for_cpus(THREADS_MAX),
		.tick = tick,
		.tick_arg = r,
		.keys = r->keys,
		/* Of the boot kernel, which has seen a key or a passphrase, nothing shall be left.
		 */
		.fill_all = r->keys || r->h->area_disk_bytes,
	};
	err_t e;

	TRY(regions_init(&r->mem, &r->info.memory, &r->info.windows, true));
	console_init(&r->console, "reading", true);
	memwatch_init(&r->memory);
	e = image_restore(&r->target, &r->commit.slot, &r->info, &sink, &o);
	console_deinit(&r->console, &r->progress);
	memwatch_log(&r->memory);
	regions_deinit(&r->mem);
	secrets_forget_keys(&r->keys);
	return e;
}

/* Tell the host, in the memory just put back, how it came back. */
static void leave_report(struct restoring *r)
{
	struct report report = {
		.result = REPORT_RESUMED,
		.image_bytes = r->commit.slot.image_end,
		.data_pages = r->commit.slot.data_pages,
		.milliseconds = clock_ms_since(&r->started),
	};
	struct hostmem mem;
	err_t e = hostmem_init(&mem, &r->info.windows, true);

	if (!e) {
		snprintf(report.log, sizeof(report.log), "%s", log_tail());
		e = hostmem_find_backup(&mem, r->info.jump_entry, &r->info.memory);
		e = err_first(host_report(&mem, &r->info, &report), e);
		hostmem_deinit(&mem);
	}
	if (e)
		log_warn("report to the host: %s", err_text(e));
	err_free(e);
}

static err_t restore(struct restoring *r)
{
	TRY(secrets_keys(r->h, &r->keys));
	TRY(open_image(r));
	watchdog_begin(&r->watchdog, r->info.watchdog);
	TRY(check_place(r));
	TRY(place(r));
	leave_report(r);
	TRY(host_prepare_jump(r->h->trampoline, r->info.jump_entry, &r->info.windows,
			      &r->watchdog));
	TRY(fingerprint_check(NULL, DISKS_WAIT_MS, &r->info.prints));
	TRY(commit_resuming(&r->target, &r->commit));
	log_info("jumping into the host");
	return host_jump();
}

void restore_run(struct handoff *h)
{
	struct restoring r = {.h = h};
	err_t e, also;

	clock_gettime(CLOCK_MONOTONIC, &r.started);
	e = restore(&r);
	secrets_forget_keys(&r.keys);
	log_warn("the image was not resumed: %s", err_text(e));
	if (r.valid_seen) {
		also = commit_resume_failed(&r.target, &r.commit, err_text(e));
		if (also)
			log_warn("the reason could not be recorded in the image: %s",
				 err_text(also));
		err_free(also);
	}
	err_free(e);
	log_warn("the image is kept; rebooting");
	power_reboot(READ_TIME);
}
