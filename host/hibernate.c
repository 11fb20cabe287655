/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order of things (docs/crash-safety.md):
 *
 *   checks -> /dev/snapshot -> stale images retired, target reserved -> writer loaded ->
 *   processes frozen -> filesystems frozen -> where the target lies asked anew, its extent
 *   map written -> WRITING into the slots -> jump
 *
 * and after the return, by whatever way:
 *
 *   report read -> slots read from the medium, RETIRED if they are not ->
 *   random pool stirred -> filesystems thawed -> processes thawed -> what swap page 0 held
 *   is kept in a file, if it could not be put back -> writer unloaded ->
 *   /dev/snapshot closed, which gives reserved swap back
 *
 * Nothing may be written to a filesystem before the image is retired, so
 * nothing is logged to files in between, nor to anything else that could block (quiet.h).
 */
#include "host/hibernate.h"

#include "base/log.h"
#include "base/process.h"
#include "base/util.h"
#include "formats/report.h"
#include "host/disks/watched.h"
#include "host/exitcode.h"
#include "host/record.h"
#include "host/session/entropy.h"
#include "host/session/quiet.h"
#include "host/session/session.h"
#include "host/session/signals.h"
#include "host/session/wipe.h"
#include "jump/loader.h"
#include "keys/locked.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define ATTEMPTS 3

/* Where an attempt ended. */
enum stage {
	STAGE_BEFORE, /* the jump was not made */
	STAGE_MOVED,  /* nor that, because something changed since: load again */
	STAGE_BACK,   /* we are back from the writer */
};

static err_t check_moved(const struct session *s, enum stage *stage)
{
	bool moved = true;

	TRY(session_report_moved(s, &moved));
	if (!moved)
		return NULL;
	*stage = STAGE_MOVED;
	return err_new(ERR_IO, "the kernel keeps moving the report's pages");
}

/* What was mounted since the writer was loaded would have no fingerprint. */
static err_t check_mounts(const struct session *s, enum stage *stage)
{
	bool changed = true;

	TRY(watched_changed(&s->host.prints, &changed));
	if (!changed)
		return NULL;
	*stage = STAGE_MOVED;
	return err_new(ERR_IO, "filesystems keep being mounted or unmounted");
}

/* Files move, and the writer was told where to look. */
static err_t lay_target(struct session *s, enum stage *stage)
{
	bool moved = false;
	err_t e = session_lay(s, &moved);

	if (moved)
		*stage = STAGE_MOVED;
	return e;
}

/* With everything frozen. */
static err_t begin_and_jump(struct session *s, enum stage *stage)
{
	struct commit c;

	TRY(signals_check());
	TRY(check_mounts(s, stage));
	TRY(check_moved(s, stage));
	TRY(lay_target(s, stage));
	s->begun = true;
	TRY(commit_begin(&s->target, &c, s->nonce, (uint64_t)time(NULL)));
	TRY(check_moved(s, stage));
	record_kernel_log("jumping into the writer");
	log_info("jumping into the writer");
	TRY(loader_jump());
	*stage = STAGE_BACK;
	return NULL;
}

/* In one line: what its kernel said, if it did. */
static void say_crash(const struct report *r, char *text, size_t n)
{
	static const char panic[] = "Kernel panic - not syncing: ";
	const char *why = strstr(r->kernel_log, panic);

	if (why)
		why += strlen(panic);
	else
		why = "it left no message";
	snprintf(text, n, "the writer crashed (%.*s); nothing is lost", (int)strcspn(why, "\n"),
		 why);
}

/* What a report means: exit code, one line for people, and why the image in
 * the slots is retired. */
static int judge(const struct report *r, char *text, size_t n, const char **retired)
{
	unsigned long long mib = r->image_bytes / MIB;
	double seconds = r->milliseconds / 1000.0;

	switch (r->result) {
	case REPORT_RESUMED:
		*retired = "resumed";
		snprintf(text, n, "resumed: %llu MiB read in %.1f s", mib, seconds);
		return EXITCODE_DONE;
	case REPORT_RETURNED:
		*retired = "returned";
		snprintf(text, n, "returned: %llu MiB written in %.1f s", mib, seconds);
		return EXITCODE_DONE;
	case REPORT_ABORTED:
		*retired = "aborted by a key";
		snprintf(text, n, "aborted by a key; nothing is lost");
		return EXITCODE_ABORTED;
	case REPORT_FAILED:
		*retired = "the writer gave up";
		snprintf(text, n, "the writer gave up: %s; nothing is lost", r->text);
		return EXITCODE_GAVE_UP;
	case REPORT_CRASHED:
		*retired = "the writer crashed";
		say_crash(r, text, n);
		return EXITCODE_GAVE_UP;
	case REPORT_NONE:
		break;
	}
	*retired = "the writer came back without a report";
	snprintf(text, n,
		 "the writer came back without a report (it may have crashed); nothing is lost");
	return EXITCODE_GAVE_UP;
}

/* The report as it is now, or one that says why there is none. */
static void read_report(const struct session *s, struct report *r)
{
	err_t e = report_decode(s->report, s->host.report_nonce, r);

	if (!e)
		return;
	memset(r, 0, sizeof(*r));
	r->result = REPORT_FAILED;
	snprintf(r->text, sizeof(r->text), "its report cannot be read (%s)", err_text(e));
	err_free(e);
}

/* Loud, since the next boot could take the image for good. */
static void shout_unsettled(const struct session *s, err_t e)
{
	char wipe[WIPE_TEXT_MAX];

	wipe_say(&s->location, wipe, sizeof(wipe));
	log_warn("%s", err_text(e));
	log_warn("THE NEXT BOOT MIGHT RESUME AN OLD IMAGE AND HARM YOUR FILES. Before it:");
	log_warn("%s", wipe);
	record_kernel_log("the image could not be retired; wipe it before the next boot");
}

static void warn_and_free(err_t e)
{
	if (e)
		log_warn("%s", err_text(e));
	err_free(e);
}

/* Retire, stir, thaw, and only then write to files. An error is that of retiring; whatever
 * happens, the host is thawed: one that runs is better than one that hangs. */
static err_t come_back(struct session *s, const char *retired)
{
	err_t unsettled = session_settle(s, retired);
	uint8_t extra[NONCE_BYTES + HOSTINFO_NONCE_BYTES];

	if (unsettled)
		shout_unsettled(s, unsettled);
	memcpy(extra, s->nonce, NONCE_BYTES);
	memcpy(extra + NONCE_BYTES, s->host.report_nonce, HOSTINFO_NONCE_BYTES);
	warn_and_free(entropy_stir(extra, sizeof(extra)));
	warn_and_free(freeze_thaw(&s->freeze));
	warn_and_free(session_keep_sector(s));
	return unsettled;
}

static err_t finish(struct session *s, int *exit_code)
{
	struct report r;
	char text[REPORT_TEXT_MAX + 128];
	const char *retired;
	err_t unsettled;

	read_report(s, &r);
	s->full = r.result == REPORT_FAILED && r.why == REPORT_WHY_FULL;
	*exit_code = judge(&r, text, sizeof(text), &retired);
	unsettled = come_back(s, retired);
	warn_and_free(record_write(text, r.log, r.kernel_log));
	if (unsettled) {
		s->full = false;
		*exit_code = EXITCODE_FAILED;
		return unsettled;
	}
	if (*exit_code == EXITCODE_DONE)
		log_info("%s", text);
	switch (*exit_code) {
	case EXITCODE_DONE:
		return NULL;
	case EXITCODE_ABORTED:
		return err_new(ERR_ABORTED, "%s", text);
	default:
		return err_new(ERR_IO, "%s", text);
	}
}

/* Freeze, jump, and everything after it; frozen only in here. */
static err_t sleep_and_wake(struct session *s, enum stage *stage, int *exit_code)
{
	err_t e = freeze_all(&s->freeze);

	if (!e)
		e = begin_and_jump(s, stage);
	if (!e)
		return finish(s, exit_code);
	return err_first(e, come_back(s, "the jump was not made"));
}

static err_t attempt(struct session *s, enum stage *stage, int *exit_code)
{
	struct quiet q;
	err_t e;

	*stage = STAGE_BEFORE;
	TRY(signals_check());
	e = session_load(s);
	affinity_restore(&s->affinity);
	if (e)
		return e;
	TRY(signals_check());
	/* What is in memory stays there; the rest can still be read, also from
	 * frozen filesystems. Not MCL_FUTURE: the window's search maps much that it
	 * does not touch, and gives it back. */
	if (mlockall(MCL_CURRENT | MCL_ONFAULT))
		return err_errno("mlockall");
	quiet_begin(&q);
	e = sleep_and_wake(s, stage, exit_code);
	quiet_end(&q);
	return e;
}

static err_t attempts(struct session *s, int *exit_code)
{
	enum stage stage = STAGE_MOVED;
	err_t e = NULL;

	s->full = false;
	sync(); /* most of it before anybody has to wait */
	for (int i = 0; i < ATTEMPTS && stage == STAGE_MOVED; i++) {
		err_free(e);
		e = attempt(s, &stage, exit_code);
	}
	return e;
}

/* On each target in turn, as long as it is only room that is missing: each time a new
 * image. Of several errors the last target's is told at the end. */
static err_t on_targets(struct session *s, int *exit_code)
{
	err_t e = attempts(s, exit_code), none;

	while (e && s->full) {
		none = session_next_target(s);
		if (none) {
			log_warn("no other target: %s", err_text(none));
			err_free(none);
			return e;
		}
		log_warn("%s", err_text(e));
		err_free(e);
		e = attempts(s, exit_code);
	}
	return e;
}

err_t hibernate_run(const struct config *config, int *exit_code)
{
	bool untouched = true;
	struct signals signals;
	struct session *s;
	void *p;
	err_t e;

	*exit_code = EXITCODE_FAILED;
	process_hide();
	TRY(locked_create(sizeof(*s), &p)); /* it gets the authentication key */
	s = p;
	e = session_open(s, config, &untouched);
	if (e && untouched && err_kind(e) != ERR_IO && err_kind(e) != ERR_NOMEM)
		*exit_code = EXITCODE_REFUSED;
	/* To die now would leave a writer loaded, or filesystems frozen. */
	signals_block(&signals);
	if (!e)
		e = on_targets(s, exit_code);
	if (e && err_kind(e) == ERR_ABORTED)
		*exit_code = EXITCODE_ABORTED;
	session_close(s);
	signals_restore(&signals);
	locked_destroy(s, sizeof(*s));
	return e;
}
