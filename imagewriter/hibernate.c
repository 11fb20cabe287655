/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing the host's memory. Until the image is VALID the host is intact behind
 * us, and every failure jumps back into it, with the reason in its report, a panic
 * too (imagewriter/rescue.h). From
 * the first write of VALID on, the host must not run again unless the image has
 * been RETIRED on the medium.
 */
#include "imagewriter/modes.h"

#include "base/log.h"
#include "base/util.h"
#include "codec/codec.h"
#include "fingerprint/fingerprint.h"
#include "image/commit.h"
#include "image/reader.h"
#include "image/threads.h"
#include "image/writer.h"
#include "imagewriter/clock.h"
#include "imagewriter/console.h"
#include "imagewriter/device.h"
#include "imagewriter/giveup.h"
#include "imagewriter/host.h"
#include "imagewriter/memwatch.h"
#include "imagewriter/power.h"
#include "imagewriter/rescue.h"
#include "imagewriter/secrets.h"
#include "imagewriter/watchdog.h"
#include "memory/freepages.h"
#include "memory/hostsource.h"

#include <stdio.h>
#include <string.h>

#define DISKS_WAIT_MS 30000 /* for those that the host has filesystems on */
#define READ_TIME     10    /* seconds to read a message in before a reboot */

struct hibernating {
	struct handoff *h;
	struct hostmem mem;
	bool mem_open;
	struct target target;
	bool target_open;
	struct commit commit;
	bool armed;	  /* a panic jumps back (imagewriter/rescue.h) */
	bool valid_begun; /* a slot on the medium may say VALID */
	struct freepages free;
	struct image_seal *seal; /* locked; NULL: the image is not sealed */
	struct slot slot;
	struct image_progress progress;
	char codec[CODEC_CHOICE_TEXT_MAX]; /* that was used */
	struct console console;
	struct memwatch memory;
	struct watchdog watchdog;
	struct timespec started;
};

static err_t open_host(struct hibernating *r, uint64_t entry)
{
	struct hostinfo *info = &r->h->host;
	err_t e;

	info->jump_entry = entry;
	TRY(hostmem_init(&r->mem, &info->windows, true));
	r->mem_open = true;
	e = hostmem_find_backup(&r->mem, entry, &info->memory);
	if (e) {
		log_warn("%s", err_text(e));
		err_free(e);
	}
	return NULL;
}

static err_t read_vmcoreinfo(struct hibernating *r, struct vmcoreinfo *v)
{
	const struct hostinfo *info = &r->h->host;
	CLEANUP_FREE uint8_t *note = NULL;

	if (!info->vmcoreinfo || !info->vmcoreinfo_bytes ||
	    info->vmcoreinfo_bytes > 2 * VMCOREINFO_MAX)
		return err_new(ERR_FORMAT, "the host has no vmcoreinfo");
	note = malloc(info->vmcoreinfo_bytes);
	if (!note)
		return err_new(ERR_NOMEM, "reading the host's vmcoreinfo");
	TRY(hostmem_read(&r->mem, info->vmcoreinfo, note, info->vmcoreinfo_bytes));
	return vmcoreinfo_parse(note, info->vmcoreinfo_bytes, v);
}

static err_t find_free(struct hibernating *r)
{
	CLEANUP_FREE struct vmcoreinfo *v = malloc(sizeof(*v));
	struct physical mem;

	if (!v)
		return err_new(ERR_NOMEM, "looking for free pages");
	TRY(read_vmcoreinfo(r, v));
	mem = hostmem_physical(&r->mem);
	TRY(freepages_find(&r->free, &mem, v, &r->h->host.memory));
	freepages_add_exchanged(&r->free, &r->mem.exchanged);
	return NULL;
}

/* Which pages need not be saved. Nothing is guessed: in doubt all are saved. */
static void select_pages(struct hibernating *r)
{
	err_t e;

	if (r->h->host.free_fill == FREE_FILL_SAVE) {
		log_info("free pages are saved too: the host's debug options may look at them");
		return;
	}
	e = find_free(r);
	if (e) {
		log_warn("every page is saved: %s", err_text(e));
		err_free(e);
		r->h->host.free_fill = FREE_FILL_SAVE;
		return;
	}
	log_info("%llu MiB of the host's memory are free and left out",
		 (unsigned long long)(r->free.count * PAGE_BYTES / MIB));
}

static err_t open_target(struct hibernating *r)
{
	TRY(device_find(r->h, &r->target));
	r->target_open = true;
	TRY(commit_load(&r->target, &r->commit));
	if (r->commit.slot.state != SLOT_WRITING)
		return err_new(ERR_REFUSED, "the target's superblock says %s, not writing",
			       slot_state_name(r->commit.slot.state));
	return NULL;
}

static err_t check_time(const struct hibernating *r)
{
	uint32_t limit = r->h->time_limit;

	if (!limit || clock_ms_since(&r->started) / 1000 < limit)
		return NULL;
	return err_new(ERR_IO, "not done within the time limit of %u s (time_limit)", limit);
}

static err_t tick(void *arg, const struct image_progress *progress)
{
	struct hibernating *r = arg;

	r->progress = *progress;
	memwatch_tick(&r->memory);
	TRY(console_tick(&r->console, progress));
	return check_time(r);
}

static err_t choose_codec(const struct handoff *h, struct codec_choice *out)
{
	*out = (struct codec_choice){.level = (int)h->codec_level};
	if (h->codec != HANDOFF_CODEC_AUTO)
		out->codec = codec_by_id((uint8_t)h->codec);
	if ((!out->codec && h->codec != HANDOFF_CODEC_AUTO) || !codec_choice_valid(out))
		return err_new(ERR_UNSUPPORTED, "codec %u, level %u is not known to this writer",
			       h->codec, h->codec_level);
	return NULL;
}

static err_t write_image(struct hibernating *r)
{
	struct image_writer_options o = {
		.threads = threads_for_cpus(r->h->threads),
		.tick = tick,
		.tick_arg = r,
		.seal = r->seal,
	};
	CLEANUP_FREE uint8_t *header = malloc(HOSTINFO_MAX);
	struct image_writer *w = NULL;
	struct memory_source source;
	struct hostsource host;
	err_t e;

	TRY(choose_codec(r->h, &o.codec));
	if (!header)
		return err_new(ERR_NOMEM, "writing the image");
	memcpy(o.nonce, r->h->nonce, NONCE_BYTES);
	TRY(hostsource_init(&host, &r->h->host.memory, &r->h->host.windows, &r->free));
	source = hostsource_source(&host);
	e = image_writer_create(&o, &r->target, &w);
	if (!e) {
		console_init(&r->console, "writing", true);
		memwatch_init(&r->memory);
		e = image_writer_run(w, &source, header, hostinfo_encode(&r->h->host, header),
				     &r->slot);
		console_deinit(&r->console, &r->progress);
		memwatch_log(&r->memory);
		image_writer_codec(w, r->codec);
	}
	image_writer_destroy(w);
	hostsource_deinit(&host);
	return e;
}

/*
 * What was written is on the medium, and is what should be there: all that a
 * resume would check, read past all caches. Before VALID, since afterwards it is too
 * late: the host is still intact behind us.
 */
static err_t read_back(struct hibernating *r)
{
	struct image_reader_options o = {
		.threads = threads_for_cpus(r->h->threads),
		.tick = tick,
		.tick_arg = r,
		.keys = r->seal ? &r->seal->keys : NULL,
	};
	CLEANUP_FREE struct hostinfo *info = malloc(sizeof(*info));
	err_t e;

	if (!info)
		return err_new(ERR_NOMEM, "reading the image back");
	TRY(target_flush(&r->target));
	TRY(image_read_header(&r->target, &r->slot, o.keys, info));
	if (r->h->verify != HANDOFF_VERIFY_FULL)
		return image_check_index(&r->target, &r->slot, o.keys, info);
	console_init(&r->console, "verifying", true);
	e = image_verify(&r->target, &r->slot, info, &o);
	console_deinit(&r->console, &r->progress);
	return e;
}

/* By which the parts of the image know each other, and what its tag is over. */
static void begin_slot(struct hibernating *r)
{
	const struct slot *begun = &r->commit.slot;

	memcpy(r->slot.nonce, r->h->nonce, NONCE_BYTES);
	r->slot.created = begun->created;
	r->slot.features_incompat = begun->features_incompat;
}

/* All of it on the medium; the key is not needed any more then, or never again. */
static err_t write_parts(struct hibernating *r)
{
	err_t e = secrets_seal(r->h, &r->seal);

	if (!e)
		e = write_image(r);
	if (!e)
		e = err_context(read_back(r), "reading the image back");
	secrets_forget_seal(&r->seal);
	return e;
}

static err_t write_and_commit(struct hibernating *r, uint64_t entry)
{
	TRY(open_host(r, entry));
	TRY(rescue_arm(&r->mem, r->h, entry, &r->watchdog));
	r->armed = true;
	TRY(open_target(r));
	TRY(fingerprint_take(NULL, DISKS_WAIT_MS, &r->h->host.prints));
	select_pages(r);
	rescue_leave_word(&r->mem, &r->h->host);
	begin_slot(r);
	TRY(write_parts(r));
	TRY(check_time(r));
	TRY(rescue_disarm());
	r->armed = false;
	r->valid_begun = true;
	return commit_valid(&r->target, &r->commit, &r->slot);
}

static void leave_report(struct hibernating *r, const struct report *report)
{
	err_t e;

	if (!r->mem_open)
		return;
	e = host_report(&r->mem, &r->h->host, report);
	if (e)
		log_warn("no report to the host: %s", err_text(e));
	err_free(e);
}

/*
 * Into the host, by the way that is loaded, if e is NULL. When there is none the host is
 * still intact, and no image is left that a boot would resume: a reboot would lose the
 * session, but a panic has a way of its own.
 */
static void __attribute__((noreturn)) jump_back(struct hibernating *r, err_t e, uint64_t entry)
{
	log_info("jumping back into the host");
	if (!e)
		e = host_jump();
	log_warn("no way back: %s", err_text(e));
	err_free(e);
	if (!r->armed && r->mem_open) {
		e = rescue_arm(&r->mem, r->h, entry, &r->watchdog);
		if (e)
			log_warn("nor from a panic: %s", err_text(e));
		err_free(e);
	}
	rescue_panic(); /* which leaves time to read before a reset: panic=10 */
}

static err_t load_way_back(struct hibernating *r, uint64_t entry)
{
	return host_prepare_jump(r->h->trampoline, entry, &r->h->host.windows, &r->watchdog);
}

static void make_report(const struct hibernating *r, struct report *out, enum report_result result,
			const char *text)
{
	*out = (struct report){
		.result = result,
		.image_bytes = r->slot.image_end,
		.data_pages = r->slot.data_pages,
		.milliseconds = clock_ms_since(&r->started),
	};
	snprintf(out->text, sizeof(out->text), "%s", text);
	snprintf(out->log, sizeof(out->log), "%s", log_tail());
}

/* Without a target nothing of ours but WRITING is on any medium. */
static bool may_go_back(struct hibernating *r, const char *reason)
{
	return !r->target_open || giveup(&r->target, &r->commit, &r->slot, r->valid_begun, reason);
}

static void give_up(struct hibernating *r, err_t e, uint64_t entry)
{
	struct report report;
	bool aborted = err_kind(e) == ERR_ABORTED;

	log_warn("%s", err_text(e));
	if (!may_go_back(r, err_text(e))) {
		log_warn("the image may be valid, so the host must not go on beside it: rebooting");
		err_free(e);
		power_reboot(READ_TIME);
	}
	make_report(r, &report, aborted ? REPORT_ABORTED : REPORT_FAILED, err_text(e));
	report.why = err_kind(e) == ERR_NOSPACE ? REPORT_WHY_FULL : REPORT_WHY_OTHER;
	err_free(e);
	leave_report(r, &report);
	jump_back(r, load_way_back(r, entry), entry);
}

/* The image is given up last: until then a reboot resumes it. */
static void come_back(struct hibernating *r, uint64_t entry)
{
	struct report report;
	err_t e = load_way_back(r, entry);

	if (e) {
		log_warn("%s", err_text(e));
		err_free(e);
	} else if (giveup(&r->target, &r->commit, &r->slot, true, "the host went on")) {
		make_report(r, &report, REPORT_RETURNED, "");
		leave_report(r, &report);
		jump_back(r, NULL, entry);
	}
	/* VALID, or not to be retired: the session is in the image, resume it. */
	log_warn("the host cannot go on beside the image, so that is resumed instead");
	power_reboot(READ_TIME);
}

void hibernate_run(struct handoff *h, uint64_t entry)
{
	struct hibernating r = {.h = h};
	err_t e;

	clock_gettime(CLOCK_MONOTONIC, &r.started);
	watchdog_begin(&r.watchdog, h->host.watchdog);
	e = write_and_commit(&r, entry);
	if (e)
		give_up(&r, e, entry);
	log_info("image is valid: %llu MiB of %llu MiB stored (%s), in %u ms",
		 (unsigned long long)(r.slot.stored_bytes / MIB),
		 (unsigned long long)(r.slot.raw_bytes / MIB), r.codec, clock_ms_since(&r.started));
	switch (h->then) {
	case HANDOFF_RETURN:
		come_back(&r, entry);
		break;
	case HANDOFF_REBOOT:
		power_reboot(0);
	case HANDOFF_POWEROFF:
		power_off();
	}
	power_off();
}
