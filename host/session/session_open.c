/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session/session.h"

#include "base/log.h"
#include "base/util.h"
#include "host/checks/preflight.h"
#include "host/disks/keptsector.h"
#include "host/disks/stale.h"
#include "jump/loader.h"
#include "jump/lockedpages.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void make_writer_cmdline(struct session *s, const char *cmdline)
{
	char consoles[512];

	/* So that progress is seen where this kernel's messages are. */
	cmdline_consoles(cmdline, consoles, sizeof(consoles));
	snprintf(s->writer_cmdline, sizeof(s->writer_cmdline), "%s%s%s", consoles,
		 *consoles && s->config->writer_cmdline[0] ? " " : "", s->config->writer_cmdline);
}

static err_t check(struct session *s)
{
	CLEANUP_FREE struct preflight *p = calloc(1, sizeof(*p));
	err_t no_writer = writer_files_load(s->config->writer_dir, &s->writer), e;

	if (!p) {
		err_free(no_writer);
		return err_new(ERR_NOMEM, "no memory");
	}
	e = preflight_init(p, s->config, no_writer ? NULL : &s->writer, no_writer);
	err_free(no_writer);
	if (!e) {
		/* The checks tell of one that does not fit. */
		err_free(preflight_choose_target(p, 0));
		e = preflight_run(p);
	}
	if (!e)
		e = session_keys(s);
	if (!e) {
		s->host = p->host;
		make_writer_cmdline(s, p->cmdline);
		session_take_target(s, p);
	}
	preflight_deinit(p);
	return e;
}

/* The target that was chosen, or the next that can be had. */
static err_t reserve(struct session *s)
{
	err_t e = session_reserve(s);

	while (e && config_candidate(s->config, s->candidate + 1) &&
	       (err_kind(e) == ERR_NOSPACE || err_kind(e) == ERR_REFUSED)) {
		log_warn("%s", err_text(e));
		err_free(e);
		e = session_next_target(s);
	}
	return e;
}

/* Of all processes this one must not be killed to make room. */
static void spare_from_oom(void)
{
	CLEANUP_CLOSE int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "-1000", 5) != 5)
		log_warn("this process may be killed when memory is short");
}

err_t session_open(struct session *s, const struct config *config, bool *untouched)
{
	memset(s, 0, sizeof(*s));
	s->config = config;
	s->started = tsc_now();
	affinity_leave_first(&s->affinity);
	s->target.fd = -1;
	s->freeze.snapshot = -1;
	*untouched = true;
	/* Before the checks look at it. */
	keptsector_put_back(NULL);
	TRY(check(s));
	spare_from_oom();
	TRY(freeze_init(&s->freeze));
	TRY(lockedpages_create(HOSTINFO_REPORT_PAGES, &s->report));
	TRY(stale_retire_all(config, untouched));
	return reserve(s);
}

void session_close(struct session *s)
{
	err_t e = s->loaded ? loader_unload() : NULL;

	if (e)
		log_warn("%s", err_text(e));
	err_free(e);
	freeze_deinit(&s->freeze);
	target_close(&s->target);
	session_give_back_volume(s);
	location_deinit(&s->location);
	if (s->report)
		munmap(s->report, HOSTINFO_REPORT_PAGES * (size_t)PAGE_BYTES);
	writer_files_free(&s->writer);
	explicit_bzero(&s->recipient, sizeof(s->recipient));
	free(s->keyslots);
}
