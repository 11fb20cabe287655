/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session/session.h"

#include "base/util.h"
#include "host/checks/writer_needs.h"
#include "formats/cpio.h"
#include "formats/handoff.h"
#include "formats/report.h"
#include "host/disks/watched.h"
#include "host/record.h"
#include "host/session/watchdogs.h"
#include "image/targetrecord.h"
#include "jump/loader.h"
#include "jump/lockedpages.h"
#include "jump/window.h"
#include "keys/locked.h"
#include "keys/random.h"

#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

static_assert(REPORT_BYTES == HOSTINFO_REPORT_PAGES * PAGE_BYTES, "a report fills its pages");

static err_t prepare_report(struct session *s)
{
	TRY(random_bytes(s->host.report_nonce, sizeof(s->host.report_nonce)));
	report_prepare(s->report, s->host.report_nonce);
	return lockedpages_where(s->report, HOSTINFO_REPORT_PAGES, s->host.report);
}

static err_t describe_windows(struct hostinfo *host, const struct window *w)
{
	host->windows = w->low;
	if (!range_add(&host->windows, w->main.start, w->main.end, RANGE_RAM))
		return err_new(ERR_REFUSED, "the firmware's memory map has too many pieces");
	range_sort(&host->windows);
	host->main_window = w->main;
	return NULL;
}

static err_t fill_handoff(const struct session *s, const struct window *w, struct handoff *h)
{
	static const enum handoff_then then[] = {
		[CONFIG_POWEROFF] = HANDOFF_POWEROFF,
		[CONFIG_REBOOT] = HANDOFF_REBOOT,
		[CONFIG_RETURN] = HANDOFF_RETURN,
	};

	memset(h, 0, sizeof(*h));
	h->mode = HANDOFF_HIBERNATE;
	h->verify = s->config->verify == CONFIG_VERIFY_FULL ? HANDOFF_VERIFY_FULL
							    : HANDOFF_VERIFY_INDEX;
	h->then = then[s->config->then];
	h->time_limit = s->config->time_limit;
	memcpy(h->nonce, s->nonce, sizeof(h->nonce));
	if (location_is_located(&s->location))
		session_place(s, h);
	else
		TRY(targetrecord_put(&s->target, h));
	if (s->volume.area) {
		h->area_disk_bytes = s->volume.disk_bytes;
		h->area = *s->volume.area;
	}
	h->mailbox = loader_mailbox(w->main);
	h->trampoline = loader_trampoline(w->main);
	h->host = s->host;
	h->host.watchdog = watchdogs_running(WATCHDOGS_SYS);
	writer_needs_handoff(s->config, s->location.extents.count, h);
	return NULL;
}

/* Who can open the image, and what the writer's generator of keys starts from. */
static err_t fill_seal(const struct session *s, struct handoff *h)
{
	if (!s->sealed)
		return NULL;
	h->sealed = true;
	h->seal.authenticated = s->recipient.authenticated;
	h->seal.cipher = s->cipher;
	memcpy(h->seal.public_key, s->recipient.public_key, sizeof(h->seal.public_key));
	if (s->recipient.authenticated)
		memcpy(h->seal.auth_key, s->recipient.auth_key, sizeof(h->seal.auth_key));
	return random_bytes(h->seed, sizeof(h->seed));
}

/* Names in archives are relative to the root, as in any initramfs. */
static const char handoff_name[] = HANDOFF_PATH, keyslots_name[] = HANDOFF_KEYSLOTS;

/* Each file in an archive of its own, one after the other; owned by the caller (locked_destroy). */
static err_t pack_files(const struct session *s, const uint8_t *handoff, size_t bytes,
			uint8_t **out, size_t *n)
{
	size_t first = cpio_file_bytes(handoff_name + 1, bytes);
	bool keyslots = s->sealed && s->keyslots_bytes;
	void *files;

	*n = first;
	if (keyslots)
		*n += cpio_file_bytes(keyslots_name + 1, s->keyslots_bytes);
	TRY(locked_create(*n, &files));
	*out = files;
	cpio_encode_file(handoff_name + 1, handoff, bytes, *out);
	if (keyslots)
		cpio_encode_file(keyslots_name + 1, s->keyslots, s->keyslots_bytes, *out + first);
	return NULL;
}

struct making {
	struct handoff h;
	uint8_t encoded[HANDOFF_MAX];
};

/* With keys and the seed in it: making the window may push memory out to swap. */
static err_t pack_handoff(const struct session *s, const struct window *w, uint8_t **out, size_t *n)
{
	struct making *making;
	void *p;
	err_t e;

	TRY(locked_create(sizeof(*making), &p));
	making = p;
	e = fill_handoff(s, w, &making->h);
	if (!e)
		e = fill_seal(s, &making->h);
	if (!e)
		e = pack_files(s, making->encoded, handoff_encode(&making->h, making->encoded), out,
			       n);
	locked_destroy(making, sizeof(*making));
	return e;
}

static err_t load_into(struct session *s, const struct window *w)
{
	uint8_t *handoff;
	struct loader_options options = {
		.writer = &s->writer,
		.memory = &s->host.memory,
		.main = w->main,
		.low = &w->low,
		.la57 = s->host.la57,
		.cmdline = s->writer_cmdline,
		.tsc_khz = tsc_khz(&s->started),
		.preserve_context = true,
	};
	err_t e;

	TRY(describe_windows(&s->host, w));
	memcpy(s->host.writer_sha256, s->writer.sha256, sizeof(s->host.writer_sha256));
	TRY(pack_handoff(s, w, &handoff, &options.handoff_bytes));
	options.handoff = handoff;
	s->loaded = true;
	e = loader_load(&options);
	locked_destroy(handoff, options.handoff_bytes);
	return e;
}

err_t session_load(struct session *s)
{
	struct window w;
	char text[160], weak[PRINT_NAME_MAX];
	err_t e;

	if (!s->writer.vmlinux) /* a second attempt */
		TRY(writer_files_load(s->config->writer_dir, &s->writer));
	TRY(random_bytes(s->nonce, sizeof(s->nonce)));
	TRY(watched_find(&s->host.prints, weak));
	TRY(prepare_report(s));
	TRY(window_choose(&s->host.memory,
			  writer_needs_plan(s->config, &s->host, s->location.extents.count).bytes,
			  s->config->window, &w));
	snprintf(text, sizeof(text), "window at 0x%llx (%s), %llu of its pages free",
		 (unsigned long long)w.main.start, w.why, (unsigned long long)w.free_pages);
	record_kernel_log(text);
	e = load_into(s, &w);
	window_release(&w);
	/* Some 30 MiB that need not be in the image. */
	writer_files_free(&s->writer);
	malloc_trim(0);
	return e;
}

err_t session_report_moved(const struct session *s, bool *moved)
{
	uint64_t now[HOSTINFO_REPORT_PAGES];

	TRY(lockedpages_where(s->report, HOSTINFO_REPORT_PAGES, now));
	*moved = memcmp(now, s->host.report, sizeof(now)) != 0;
	return NULL;
}
